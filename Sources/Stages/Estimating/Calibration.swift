import Autograd
import Determinism
import Models
import NN
import Search
import Tensors
import Vision

/// How fast this machine works, found by doing a little of the work in question: the network at its own widths on a
/// small picture, twice, of which the second time counts.
struct Calibration {
  /// Of one kind of work.
  struct Measure {
    /// Multiply-adds in a second.
    var rate = 1.0
    /// Bytes that wait for the way back, for each pixel of the input.
    var bytesPerPixel = 0.0
    var parameters = 0
  }

  private(set) var seconds = 0.0

  /// A step of a classifier.
  mutating func classifierTraining(_ body: BodyConfiguration, content: BodyChoices, side: Int) -> Measure {
    let classifier = Classifier(body, choices: content, classes: 1000, dropout: 0, momentum: 0.1, seeds: nil)
    let path: [Int] = if case .fixed(let path) = content { path } else { body.evenPaths[0] }
    let images = Tensor(repeating: 1, shape: [2, 3, side, side])
    var random = Seeds(kind: "estimate", seed: 0).stream("dropout")
    var recorded = 0
    let time = timed {
      let pass = Pass(mode: .training)
      let scores = classifier(pass.constant(images), path: path, random: &random)
      let loss = crossEntropy(scores, labels: [0, 1], ignoring: -1, smoothing: 0.1)
      recorded = pass.recordedBytes
      pass.backward(from: loss)
    }
    let work = NetworkWork(body, paths: [path], side: side)
    return Measure(
      rate: 2 * work.training / time, bytesPerPixel: Double(recorded) / Double(2 * side * side),
      parameters: classifier.store.parameterCount)
  }

  /// Passes of a panoptic network over a picture no larger than 256×320.
  mutating func panoptic(
    _ configuration: NetworkConfiguration, content: NetworkContent, data: DataSize, height: Int, width: Int
  ) -> (training: Measure, testing: Measure, body: Measure) {
    let network = PanopticNetwork(
      configuration, thingClasses: data.things, stuffClasses: data.stuff, content: content, batchNormMomentum: 0.1,
      seeds: nil)
    let path: Architecture =
      if case .fixed(let path) = content { path } else { configuration.evenArchitectures[0] }
    let isLarge = 3 * height * width >= PanopticNetwork.largeInput
    let (height, width) = (min(height, 256), min(width, 320))
    let image = Tensor(repeating: 1, shape: [1, 3, height, width])
    let object = ImageTargets.Instance(
      label: 1, box: Box(4, 4, Float(width / 2 - 1), Float(height / 2 - 1)),
      mask: BinaryMask(width: width / 2 - 4, height: height / 2 - 4) { _, _ in true })
    let targets = ImageTargets(
      width: width, height: height, semantic: [Int32](repeating: 0, count: width * height), instances: [object])
    let work = NetworkWork(configuration, architectures: [path], data: data, height: height, width: width)
    var random = Seeds(kind: "estimate", seed: 0).stream("samples")
    var recorded = 0
    let training = timed {
      let pass = Pass(mode: .training)
      let losses = network.losses(pass.constant(image), targets: [targets], path: path, random: &random)
      recorded = pass.recordedBytes
      pass.backward(from: losses.total)
    }
    let testing = timed {
      let pass = Pass(mode: .evaluation)
      withExtendedLifetime(pass) {
        _ = network.predict(pass.constant(image), width: width, height: height, path: path)
      }
    }
    let body = timed {
      let pass = Pass(mode: .recalibration)
      withExtendedLifetime(pass) { _ = network.body(pass.constant(image), path: path.backbone) }
    }
    // Blocks of the body keep nothing inside where pictures are large.
    if isLarge {
      for (recomputes, sign) in [(false, -1), (true, 1)] {
        let pass = Pass(mode: .training)
        withExtendedLifetime(pass) {
          _ = network.body(pass.constant(image), path: path.backbone, recomputesBlocks: recomputes)
          recorded += sign * pass.recordedBytes
        }
      }
    }
    let parameters = network.store.parameterCount
    // One object gives few positive regions, so that masks hardly cost time here; they are in the work, not in the rate.
    let withoutMasks = work.training - 3 * work.positiveMasks
    return (
      Measure(
        rate: withoutMasks / training, bytesPerPixel: Double(recorded) / Double(height * width),
        parameters: parameters),
      Measure(rate: work.testing / testing, parameters: parameters),
      Measure(rate: work.body / body, parameters: parameters)
    )
  }

  /// Seconds that the second of two runs takes.
  private mutating func timed(_ body: () -> Void) -> Double {
    let clock = ContinuousClock()
    func once() -> Double {
      let taken = clock.measure(body).components
      return Double(taken.seconds) + Double(taken.attoseconds) * 1e-18
    }
    let first = once()
    let second = once()
    seconds += first + second
    return max(second, 1e-6)
  }
}
