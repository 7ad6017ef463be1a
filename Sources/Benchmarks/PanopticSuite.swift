import Autograd
import Determinism
import Models
import NN
import Search
import Tensors
import Vision

/// The full supernet at 1.3G width, one image of 512×512: a training step over the 12 paths of one fair block.
func panopticSuite() -> [Case] {
  let row = TargetRow(name: "panoptic/training", target: 1.2)
  let request: CanonicalValue = [
    "kind": "panoptic", "side": .integer(PanopticRun.side), "things": .integer(PanopticRun.things),
    "stuff": .integer(PanopticRun.stuff), "labels": Script.value(PanopticRun.objects.map(\.label)),
    "boxes": Script.value(PanopticRun.objects.flatMap(\.corners)),
    "paths": .array(PanopticRun.paths.map { Script.value($0.choices) }),
  ]
  return [
    Case(
      "panoptic/training", "1×3×512×512, 12 paths", .calls(12), rounds: 1,
      against: [Baseline(name: "torch eager", kind: .script(Script.torch, request), row: row)],
      memory: Memory(name: "panoptic/memory") { PanopticRun().train(steps: 1) }
    ) { PanopticRun().training }
  ]
}

/// The network with one synthetic scene: ellipses in front of stripes of stuff; the last rows are void.
final class PanopticRun {
  static let side = 512
  static let (things, stuff) = (80, 53)
  static let objects: [(label: Int, corners: [Int])] = [
    (1, [40, 60, 200, 260]), (5, [220, 40, 300, 140]), (9, [320, 80, 480, 400]), (17, [60, 300, 180, 460]),
    (33, [240, 200, 300, 280]), (41, [250, 330, 310, 470]), (60, [400, 420, 460, 480]), (80, [10, 10, 60, 50]),
  ]
  static let space = NetworkConfiguration().searchSpace
  static let paths = FairSampler(space: space, seeds: Seeds(kind: "benchmark", seed: 1)).block(0)

  private let network: PanopticNetwork
  private let optimizer: SGD
  private let image = Tensor(random: [1, 3, side, side], "panoptic/image")
  private let target = PanopticRun.target

  init() {
    network = PanopticNetwork(
      NetworkConfiguration(), thingClasses: PanopticRun.things, stuffClasses: PanopticRun.stuff, content: .supernet,
      batchNormMomentum: 0.1, seeds: Seeds(kind: "benchmark", seed: 1))
    optimizer = SGD(network.store.parameters, momentum: 0.9) { parameter in
      let rate = 1 / Double(PanopticRun.paths.count)
      return switch parameter.role {
      case .weight, .scale: SGD.Rule(rateFactor: rate, weightDecay: 1e-4)
      case .bias: SGD.Rule(rateFactor: 2 * rate, weightDecay: 0)
      }
    }
  }

  /// Every step starts from the same weights, without velocities.
  var training: Run {
    let start = TrainingState(network.store, optimizer)
    return Run(
      prepare: start.restore, body: { [self] in .tensors(step() + network.store.parameters.map(\.value)) },
      value: { [network] in Double(network.store.parameterCount) })
  }

  func train(steps: Int) {
    for _ in 0..<steps { _ = step() }
  }

  /// As in training with images of this size: one path at a time, on all threads.
  private func step() -> [Tensor] {
    var window = GradientWindow(network.store.parameters)
    var losses: [Tensor] = []
    for index in PanopticRun.paths.indices {
      let (pass, loss) = pass(index)
      window.add(pass)
      pass.commitStatistics()
      losses.append(loss)
    }
    optimizer.step(gradients: window.sums, rate: 0.01)
    return losses
  }

  private func pass(_ index: Int) -> (Pass, Tensor) {
    let pass = Pass(mode: .training)
    var random = Seeds(kind: "benchmark", seed: 1).stream("panoptic/pass/\(index)")
    let losses = network.losses(
      pass.constant(image), targets: [target],
      path: Architecture(PanopticRun.paths[index], in: PanopticRun.space), random: &random)
    pass.backward(from: losses.total)
    return (pass, losses.total.value)
  }

  private static var target: ImageTargets {
    var semantic = (0..<side * side).map { Int32($0 / side * stuff / side + 1) }
    let instances = objects.map { object in
      let c = object.corners
      let (width, height) = (c[2] - c[0] + 1, c[3] - c[1] + 1)
      let mask = BinaryMask(width: width, height: height) { x, y in
        let u = Double(2 * x) / Double(width - 1) - 1
        let v = Double(2 * y) / Double(height - 1) - 1
        return u * u + v * v <= 1
      }
      for y in 0..<height {
        for x in 0..<width where mask[x, y] { semantic[(c[1] + y) * side + c[0] + x] = 0 }
      }
      let box = Box(Float(c[0]), Float(c[1]), Float(c[2]), Float(c[3]))
      return GroundTruthInstance(label: object.label, box: box, mask: mask)
    }
    for i in (side - 8) * side..<side * side { semantic[i] = 255 }
    return ImageTargets(width: side, height: side, semantic: semantic, instances: instances)
  }
}
