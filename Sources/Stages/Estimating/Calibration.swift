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
    /// Bytes that wait for the way back, for each pixel of the input and, in panoptic networks, for each image: those
    /// of sampled regions.
    var bytesPerPixel = 0.0
    var bytesPerImage = 0.0
    var parameters = 0
  }

  private(set) var seconds = 0.0

  /// A step of a classifier on pictures no larger than 256×256.
  mutating func classifierTraining(_ backbone: BackboneConfiguration, content: BackboneChoices, side: Int) -> Measure {
    let side = min(side, 256)
    let classifier = Classifier(backbone, choices: content, classes: 1000, dropout: 0, momentum: 0.1, seeds: nil)
    let path: [Int] = if case .fixed(let path) = content { path } else { backbone.evenPaths[0] }
    let images = Tensor(repeating: 1, shape: [2, 3, side, side])
    var random = Seeds(kind: "estimate", seed: 0).stream("dropout")
    var kept = 0
    let time = timed { _ in
      let pass = Pass(mode: .training)
      let before = TensorMemory.used
      let scores = classifier(pass.constant(images), path: path, random: &random)
      let loss = crossEntropy(scores, labels: [0, 1], ignoring: -1, smoothing: 0.1)
      kept = TensorMemory.used - before
      pass.backward(from: loss)
    }
    let work = NetworkWork(backbone, paths: [path], side: side)
    return Measure(
      rate: 2 * work.training / time, bytesPerPixel: Double(kept) / Double(2 * side * side),
      parameters: classifier.store.parameterCount)
  }

  /// Passes of a panoptic network over a picture no larger than 256×320.
  mutating func panoptic(
    _ configuration: NetworkConfiguration, content: NetworkContent, data: DataSize, height: Int, width: Int
  ) -> (training: Measure, testing: Measure, backbone: Measure) {
    let network = PanopticNetwork(
      configuration, thingClasses: data.things, stuffClasses: data.stuff, content: content, batchNormMomentum: 0.1,
      seeds: nil)
    let path: Architecture =
      if case .fixed(let path) = content { path } else { configuration.evenArchitectures[0] }
    let isLarge = 3 * height * width >= PanopticNetwork.largeInput
    let (height, width) = (min(height, 256), min(width, 320))
    func picture(_ height: Int) -> Tensor { Tensor(repeating: 1, shape: [1, 3, height, width]) }
    func truth(_ height: Int) -> ImageTargets {
      let object = GroundTruthInstance(
        label: 1, box: Box(4, 4, Float(width / 2 - 1), Float(height / 2 - 1)),
        mask: BinaryMask(width: width / 2 - 4, height: height / 2 - 4) { _, _ in true })
      return ImageTargets(
        width: width, height: height, semantic: [Int32](repeating: 0, count: width * height), instances: [object])
    }
    let work = NetworkWork(configuration, architectures: [path], data: data, height: height, width: width)
    var random = Seeds(kind: "estimate", seed: 0).stream("samples")
    // The first run is of a smaller picture, to tell what grows with pixels from what does not.
    let heights = [max(32, height / 2 / 32 * 32), height]
    var kept = [0, 0]
    let training = timed { run in
      let pass = Pass(mode: .training)
      let (image, targets) = (picture(heights[run]), truth(heights[run]))
      let before = TensorMemory.used
      let losses = network.losses(pass.constant(image), targets: [targets], path: path, random: &random)
      kept[run] = TensorMemory.used - before
      pass.backward(from: losses.total)
    }
    let testing = timed { _ in
      let pass = Pass(mode: .evaluation)
      _ = network.predict(pass.constant(picture(height)), width: width, height: height, path: path)
    }
    let backbone = timed { _ in
      let pass = Pass(mode: .recalibration)
      _ = network.backbone(pass.constant(picture(height)), path: path.backbone)
    }
    let pixels = heights.map { Double($0 * width) }
    let slope = heights[0] < height ? Double(kept[1] - kept[0]) / (pixels[1] - pixels[0]) : Double(kept[1]) / pixels[1]
    // Blocks of the backbone keep nothing inside where pictures are large.
    var saved = 0
    if isLarge {
      for (recomputes, sign) in [(false, 1), (true, -1)] {
        let pass = Pass(mode: .training)
        let image = picture(height)
        let before = TensorMemory.used
        let levels = network.backbone(pass.constant(image), path: path.backbone, recomputesBlocks: recomputes)
        withExtendedLifetime(levels) { saved += sign * (TensorMemory.used - before) }
      }
    }
    let parameters = network.store.parameterCount
    // One object gives few positive regions, so that masks hardly cost time here; they are in the work, not in the rate.
    let withoutMasks = work.training - 3 * work.positiveMasks
    return (
      Measure(
        rate: withoutMasks / training, bytesPerPixel: slope - Double(saved) / pixels[1],
        bytesPerImage: max(0, Double(kept[1]) - slope * pixels[1]), parameters: parameters),
      Measure(rate: work.testing / testing, parameters: parameters),
      Measure(rate: work.backbone / backbone, parameters: parameters)
    )
  }

  /// Seconds that the second of two runs takes.
  ///
  /// - Parameter body: hears which run it is, 0 or 1.
  private mutating func timed(_ body: (Int) -> Void) -> Double {
    let clock = ContinuousClock()
    func once(_ run: Int) -> Double {
      let taken = clock.measure { body(run) }.components
      return Double(taken.seconds) + Double(taken.attoseconds) * 1e-18
    }
    let first = once(0)
    let second = once(1)
    seconds += first + second
    return max(second, 1e-6)
  }
}
