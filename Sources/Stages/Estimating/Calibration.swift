import Autograd
import Determinism
import Models
import NN
import Search
import Tensors
import Vision

/// How fast this machine works, found by doing a little of the work in question: passes of the network at its own widths
/// on a small picture, on as many threads as there are, up to four, each for itself.
///
/// Processor time is measured, and the least of several times counts, so that other programs hardly matter.
struct Calibration {
  /// Of one kind of work.
  struct Measure {
    /// Processor time of a pass, and what it is the time of: multiply-adds, and pixels of all images together.
    var pass = LoopProfile()
    var multiplyAdds = 1.0
    var pixels = 1.0
    /// The same for a smaller picture.
    var smaller = LoopProfile()
    var smallerPixels = 1.0
    /// Bytes that wait for the way back, for each pixel of the input and, in panoptic networks, for each image: those
    /// of sampled regions.
    var bytesPerPixel = 0.0
    var bytesPerImage = 0.0
    var parameters = 0

    /// The processor time of so many multiply-adds, in passes over images that have so many pixels together.
    func profile(multiplyAdds count: Double, pixels passPixels: Double) -> LoopProfile {
      let growth = passPixels / pixels
      return pass.grown(by: growth, from: smaller, share: smallerPixels / pixels)
        .scaled(by: count / multiplyAdds / growth)
    }
  }

  private(set) var seconds = 0.0

  /// A pass of a classifier over pictures no larger than 256×256.
  mutating func classifierTraining(_ backbone: BackboneConfiguration, content: BackboneChoices, side: Int) -> Measure {
    let side = min(side, 256)
    let classifier = Classifier(backbone, choices: content, classes: 1000, dropout: 0, momentum: 0.1, seeds: nil)
    let path: [Int] = if case .fixed(let path) = content { path } else { backbone.evenPaths[0] }
    func run(_ count: Int) -> Int {
      let images = Tensor(repeating: 1, shape: [count, 3, side, side])
      var random = Seeds(kind: "estimate", seed: 0).stream("dropout")
      let pass = Pass(mode: .training)
      let before = TensorMemory.used
      let scores = classifier(pass.constant(images), path: path, random: &random)
      let loss = crossEntropy(scores, labels: [Int32](repeating: 0, count: count), ignoring: -1, smoothing: 0.1)
      let kept = TensorMemory.used - before
      pass.backward(from: loss)
      return kept
    }
    let count = Calibration.images
    let kept = run(count)
    let smaller = LoopProfile.of { _ = run(1) }
    let pixels = Double(side) * Double(side)
    return Measure(
      pass: least { _ = run(count) },
      multiplyAdds: Double(count) * NetworkWork(backbone, paths: [path], side: side).training,
      pixels: Double(count) * pixels, smaller: smaller, smallerPixels: pixels,
      bytesPerPixel: Double(kept) / (Double(count) * pixels), parameters: classifier.store.parameterCount)
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
    let subject = PanopticSubject(network: network, path: path, width: width)
    let work = NetworkWork(configuration, architectures: [path], data: data, height: height, width: width)
    // A smaller picture first, to tell what grows with pixels from what does not.
    let heights = [max(32, height / 2 / 32 * 32), height]
    let kept = heights.map { subject.train(height: $0) }
    let pixels = heights.map { Double($0 * width) }
    let slope = heights[0] < height ? Double(kept[1] - kept[0]) / (pixels[1] - pixels[0]) : Double(kept[1]) / pixels[1]
    // Blocks of the backbone keep nothing inside where pictures are large.
    let saved = isLarge ? subject.savedByRecomputing(height: height) : 0
    let parameters = network.store.parameterCount
    // One object gives few positive regions, so that masks hardly cost time here; they are in the work, not in the rate.
    let withoutMasks = work.training - 3 * work.positiveMasks
    func measure(_ multiplyAdds: Double, _ body: (_ height: Int) -> Void) -> Measure {
      let smaller = LoopProfile.of { body(heights[0]) }
      return Measure(
        pass: least { body(height) }, multiplyAdds: multiplyAdds, pixels: pixels[1], smaller: smaller,
        smallerPixels: pixels[0], parameters: parameters)
    }
    var training = measure(withoutMasks) { _ = subject.train(height: $0) }
    training.bytesPerPixel = slope - Double(saved) / pixels[1]
    training.bytesPerImage = max(0, Double(kept[1]) - slope * pixels[1])
    return (
      training, measure(work.testing) { subject.predict(height: $0) },
      measure(work.backbone) { subject.recalibrate(height: $0) }
    )
  }

  /// Of a batch of a classifier: more than the caches hold, as in large batches.
  private static let images = 4
  /// Runs side by side, so that what threads share is shared here too.
  private static let mostCopies = 4
  /// At least so many times, and more while that takes no longer than this.
  private static let (fewestTimes, mostTimes, patience) = (3, 12, 1.0)

  /// The least processor time of several runs.
  mutating func least(_ body: () -> Void) -> LoopProfile {
    let copies = min(Parallel.threads, Calibration.mostCopies)
    let clock = ContinuousClock()
    let begin = clock.now
    var best: LoopProfile?
    var times = 0
    while times < Calibration.fewestTimes
      || times < Calibration.mostTimes && (clock.now - begin) / .seconds(1) < Calibration.patience
    {
      let profiles = Parallel.mapSideBySide(copies) { _ in LoopProfile.of(body) }
      best = (profiles + [best].compactMap { $0 }).min { $0.seconds < $1.seconds }
      times += 1
    }
    seconds += (clock.now - begin) / .seconds(1)
    return best!
  }
}

/// A network and what it is tried on.
private struct PanopticSubject {
  let network: PanopticNetwork
  let path: Architecture
  let width: Int

  private func picture(_ height: Int) -> Tensor { Tensor(repeating: 1, shape: [1, 3, height, width]) }

  private func truth(_ height: Int) -> ImageTargets {
    let object = GroundTruthInstance(
      label: 1, box: Box(4, 4, Float(width / 2 - 1), Float(height / 2 - 1)),
      mask: BinaryMask(width: width / 2 - 4, height: height / 2 - 4) { _, _ in true })
    return ImageTargets(
      width: width, height: height, semantic: [Int32](repeating: 0, count: width * height), instances: [object])
  }

  /// - Returns: the bytes that were kept for the way back.
  func train(height: Int) -> Int {
    var random = Seeds(kind: "estimate", seed: 0).stream("samples")
    let pass = Pass(mode: .training)
    let (image, targets) = (picture(height), truth(height))
    let before = TensorMemory.used
    let losses = network.losses(pass.constant(image), targets: [targets], path: path, random: &random)
    let kept = TensorMemory.used - before
    pass.backward(from: losses.total)
    return kept
  }

  func predict(height: Int) {
    let pass = Pass(mode: .evaluation)
    _ = network.predict(pass.constant(picture(height)), width: width, height: height, path: path)
  }

  func recalibrate(height: Int) {
    let pass = Pass(mode: .recalibration)
    _ = network.backbone(pass.constant(picture(height)), path: path.backbone)
  }

  /// Bytes that a pass keeps less where blocks of the backbone are computed again on the way back.
  func savedByRecomputing(height: Int) -> Int {
    var saved = 0
    for (recomputes, sign) in [(false, 1), (true, -1)] {
      let pass = Pass(mode: .training)
      let image = picture(height)
      let before = TensorMemory.used
      let levels = network.backbone(pass.constant(image), path: path.backbone, recomputesBlocks: recomputes)
      withExtendedLifetime(levels) { saved += sign * (TensorMemory.used - before) }
    }
    return saved
  }
}
