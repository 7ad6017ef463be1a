import Autograd
import Determinism
import Models
import NN
import Search
import Tensors
import Vision

/// A whole panoptic network in miniature, with two synthetic images: all parts, few channels.
enum Tiny {
  static let seeds = Seeds(kind: "tiny-network", seed: 1)

  static var configuration: NetworkConfiguration {
    var configuration = NetworkConfiguration(
      backbone: BackboneConfiguration(
        stemChannels: 4, stageChannels: [8, 16, 24, 32], stageBlocks: [2, 1, 2, 1], classifierChannels: 16))
    configuration.pyramidChannels = 8
    configuration.normGroups = 4
    configuration.anchors.sizes = [8, 16, 32, 48, 64]
    configuration.boxHead.hidden = 32
    configuration.boxHead.normGroups = 4
    configuration.boxHead.batchPerImage = 16
    configuration.maskHead.pooledSize = 6
    configuration.maskHead.channels = 8
    configuration.semantic.channels = 8
    configuration.levelRule.canonicalScale = 56
    return configuration
  }

  /// Every operator of backbone and heads, and every ratio.
  static let path = Architecture(
    backbone: [0, 1, 2, 3, 1, 3], head: [0, 2, 4, 1, 3, 5, 2], inter: [0, 1, 2, 0, 1, 2, 0, 1, 2])

  static func network(
    _ content: NetworkContent = .fixed(path), seeds: Seeds? = seeds, attention: Bool = true
  ) -> PanopticNetwork {
    var configuration = configuration
    configuration.attention.enabled = attention
    return PanopticNetwork(
      configuration, thingClasses: 2, stuffClasses: 2, content: content, batchNormMomentum: 0.1, seeds: seeds)
  }

  static let side = 64

  /// Two pictures of a sky and a ground, each with two blocks: a bright one of class 1 and a dark one of class 2.
  static let targets: [ImageTargets] = [
    target(ground: 24, blocks: [(8, 30, 20, 16), (36, 12, 20, 30)]),
    target(ground: 40, blocks: [(30, 34, 24, 24), (6, 6, 18, 22)]),
  ]

  /// Blocks: x, y, width, height.
  private static func target(ground: Int, blocks: [(Int, Int, Int, Int)]) -> ImageTargets {
    var semantic = (0..<side * side).map { Int32($0 / side < ground ? 1 : 2) }
    let instances = blocks.enumerated().map { i, block in
      let (x, y, w, h) = block
      for row in y..<y + h { for column in x..<x + w { semantic[row * side + column] = 0 } }
      return GroundTruthInstance(
        label: i + 1, box: Box(Float(x), Float(y), Float(x + w - 1), Float(y + h - 1)),
        mask: BinaryMask(width: w, height: h) { _, _ in true })
    }
    return ImageTargets(width: side, height: side, semantic: semantic, instances: instances)
  }

  /// `[2, 3, 64, 64]`: what the targets describe, with some noise.
  static let images: Tensor = {
    var random = seeds.stream("noise")
    let plane = side * side
    return Tensor(shape: [2, 3, side, side]) { i in
      let (image, channel, place) = (i / (3 * plane), i / plane % 3, i % plane)
      let (x, y) = (Float(place % side), Float(place / side))
      let target = targets[image]
      let object = target.instances.first { x >= $0.box.x0 && x <= $0.box.x1 && y >= $0.box.y0 && y <= $0.box.y1 }
      let colours: [[Float]] = [[100, 90, 20], [-90, -100, -20], [60, 0, -60], [-60, 20, 60]]
      let kind = object.map { $0.label - 1 } ?? Int(target.semantic[place]) + 1
      return colours[kind][channel] + Float(random.uniform(-8, 8))
    }
  }()

  /// The losses of the two pictures, run backward.
  static func run(_ network: PanopticNetwork, path: Architecture = path) -> (pass: Pass, losses: PanopticLosses) {
    let pass = Pass(mode: .training)
    var random = seeds.stream("samples")
    let losses = network.losses(pass.constant(images), targets: targets, path: path, random: &random)
    pass.backward(from: losses.total)
    return (pass, losses)
  }

  /// Updates with samples drawn anew each time; the total loss before each.
  static func train(_ network: PanopticNetwork, updates: Int, rate: Double) -> [Float] {
    let optimizer = SGD(network.store.parameters, momentum: 0.9) { _ in SGD.Rule(weightDecay: 1e-4) }
    return (0..<updates).map { update in
      let pass = Pass(mode: .training)
      var random = seeds.stream("update/\(update)")
      let losses = network.losses(pass.constant(images), targets: targets, path: path, random: &random)
      pass.backward(from: losses.total)
      var window = GradientWindow(network.store.parameters)
      window.add(pass)
      optimizer.step(gradients: window.sums, rate: rate)
      pass.commitStatistics()
      return losses.total.value.item
    }
  }
}

extension StateDictionary {
  /// Of names and bits, in order.
  var digest: Digest {
    var builder = DigestBuilder()
    for entry in entries {
      builder.update(entry.name)
      entry.tensor.withElements { builder.update(UnsafeRawBufferPointer($0)) }
    }
    return builder.finalize()
  }
}
