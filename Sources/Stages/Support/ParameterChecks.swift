import Datasets
import Models
import Pipelines

// Values that would make a network or a training impossible are refused where the pipeline file says them.

func require(_ condition: Bool, _ parameter: String, _ message: String) throws {
  guard condition else { throw ParameterError(parameter, message) }
}

/// Limits keep products of a few such numbers within 64 bits.
func require(_ value: Int, in range: ClosedRange<Int>, _ parameter: String) throws {
  try require(
    range.contains(value), parameter, "must be in \(range.lowerBound)...\(range.upperBound), is \(value)")
}

private let channelCounts = 1...65_536
let counts = 1...1_000_000
private let stepCounts = 1...1_000_000_000
/// Of pictures, in pixels.
private let sides = 1...65_536

extension BodyConfiguration {
  func check(at place: String) throws {
    try require(stemChannels, in: channelCounts, "\(place).stemChannels")
    try require(
      stageChannels.count == 4 && stageBlocks.count == 4, "\(place).stageChannels",
      "a body has four stages, each with channels and blocks")
    try require(
      stageBlocks.allSatisfy { (1...1000).contains($0) }, "\(place).stageBlocks",
      "every stage needs at least one block, and no more than 1000")
    for channels in stageChannels { try require(channels, in: channelCounts, "\(place).stageChannels") }
    try require(
      stageChannels.allSatisfy { $0 % 2 == 0 }, "\(place).stageChannels",
      "must be even, since blocks split their channels in half")
    let inputs = [stemChannels] + stageChannels
    try require(
      zip(inputs, stageChannels).allSatisfy { $0 < $1 }, "\(place).stageChannels",
      "must grow from the stem on, since the first block of a stage adds its own channels to those it got")
    try require(classifierChannels, in: channelCounts, "\(place).classifierChannels")
  }

  /// Of a body that is trained path by path.
  func checkChoices(at place: String) throws {
    try require(family == .shuffle, "\(place).family", "must be shuffle: a supernet is made of choice blocks")
  }
}

extension NetworkConfiguration {
  func check(at place: String) throws {
    try body.check(at: "\(place).body")
    try require(pyramidChannels, in: channelCounts, "\(place).pyramidChannels")
    try require(maskHead.channels, in: channelCounts, "\(place).maskHead.channels")
    try require(semantic.channels, in: channelCounts, "\(place).semantic.channels")
    try require(boxHead.hidden, in: channelCounts, "\(place).boxHead.hidden")
    func groups(_ channels: Int, _ parameter: String) throws {
      try require(
        channels > 0 && (normGroups == 0 || normGroups > 0 && channels % normGroups == 0), "\(place).\(parameter)",
        "\(channels) channels cannot be cut into \(normGroups) groups (norm-groups)")
    }
    try groups(pyramidChannels, "pyramidChannels")
    try groups(maskHead.channels, "maskHead.channels")
    try groups(semantic.channels, "semantic.channels")
    try require(
      boxHead.hidden > 0
        && (boxHead.normGroups == 0 || boxHead.normGroups > 0 && boxHead.hidden % boxHead.normGroups == 0),
      "\(place).boxHead.hidden", "\(boxHead.hidden) units cannot be cut into \(boxHead.normGroups) groups")
    try require(
      anchors.sizes.count == 5 && anchors.sizes.allSatisfy { $0 > 0 }, "\(place).anchors.sizes",
      "needs one positive size for each of P2 to P6")
    try require(
      !anchors.ratios.isEmpty && anchors.ratios.allSatisfy { $0 > 0 }, "\(place).anchors.ratios", "must be positive")
    try require(
      !attention.ratios.isEmpty && attention.ratios.allSatisfy { $0 > 0 }, "\(place).attention.ratios",
      "must be positive")
    try require(maskHead.layers, in: 1...1000, "\(place).maskHead.layers")
    try require(semantic.layers, in: 1...1000, "\(place).semantic.layers")
    try require(boxHead.pooledSize, in: 1...256, "\(place).boxHead.pooledSize")
    try require(maskHead.pooledSize, in: 1...256, "\(place).maskHead.pooledSize")
    try require(
      levelRule.canonicalScale > 0 && levelRule.canonicalScale.isFinite, "\(place).levelRule.canonicalScale",
      "must be positive")
    try require(levelRule.canonicalLevel, in: 0...64, "\(place).levelRule.canonicalLevel")
    try proposals.check(at: "\(place).proposals")
    try boxHead.check(at: "\(place).boxHead")
  }

  /// Of a network that is trained path by path: what isn't searched would count as a choice.
  func checkChoices(at place: String) throws {
    try body.checkChoices(at: "\(place).body")
    try require(heads == .searched, "\(place).heads", "must be searched: plain heads have nothing to choose")
  }
}

extension ProposalConfiguration {
  func check(at place: String) throws {
    try require(
      0 <= negativeOverlap && negativeOverlap <= positiveOverlap && positiveOverlap <= 1, "\(place).positiveOverlap",
      "needs 0 <= negative-overlap <= positive-overlap <= 1")
    try require(batchPerImage, in: counts, "\(place).batchPerImage")
    try require((0...1).contains(positiveFraction), "\(place).positiveFraction", "must be in 0...1")
    try require(preNMSTrain, in: counts, "\(place).preNMSTrain")
    try require(preNMSTest, in: counts, "\(place).preNMSTest")
    try require(postNMSTrain, in: counts, "\(place).postNMSTrain")
    try require(postNMSTest, in: counts, "\(place).postNMSTest")
    if let imagesPerLimit { try require(imagesPerLimit, in: counts, "\(place).imagesPerLimit") }
    try require((0...1).contains(nmsOverlap), "\(place).nmsOverlap", "must be in 0...1")
    try require(smoothL1Beta > 0, "\(place).smoothL1Beta", "must be positive")
  }
}

extension BoxHeadConfiguration {
  func check(at place: String) throws {
    try require((0...1).contains(positiveOverlap), "\(place).positiveOverlap", "must be in 0...1")
    try require(batchPerImage, in: counts, "\(place).batchPerImage")
    try require((0...1).contains(positiveFraction), "\(place).positiveFraction", "must be in 0...1")
    try require(smoothL1Beta > 0, "\(place).smoothL1Beta", "must be positive")
    try require((0...1).contains(nmsOverlap), "\(place).nmsOverlap", "must be in 0...1")
    try require(detectionsPerImage, in: counts, "\(place).detectionsPerImage")
  }
}

extension ClassifierRecipe {
  func check(at place: String) throws {
    try require(steps, in: stepCounts, "\(place).steps")
    try require(batch, in: counts, "\(place).batch")
    try require(replicas, in: 1...1000, "\(place).replicas")
    try require((0..<1).contains(dropout), "\(place).dropout", "must be in 0 ..< 1")
    try require((0..<1).contains(labelSmoothing), "\(place).labelSmoothing", "must be in 0 ..< 1")
  }
}

extension PanopticRecipe {
  func check(at place: String) throws {
    try require(updates, in: 0...stepCounts.upperBound, "\(place).updates")
    try require(batch, in: counts, "\(place).batch")
    try require(replicas, in: 1...1000, "\(place).replicas")
    try require(warmup, in: 0...stepCounts.upperBound, "\(place).warmup")
  }
}

extension PanopticInput {
  func check(at place: String) throws {
    try require(resize.shorterSide, in: sides, "\(place).resize.shorterSide")
    try require(resize.longestSide, in: sides, "\(place).resize.longestSide")
    try require(
      resize.shorterSide <= resize.longestSide, "\(place).resize.longestSide",
      "\(resize.longestSide) is less than the shorter side, \(resize.shorterSide)")
    try require((0...1).contains(flipChance), "\(place).flipChance", "must be in 0...1")
    try normalization.check(at: "\(place).normalization")
  }
}

extension ClassificationInput {
  func check(at place: String) throws {
    try require(side, in: sides, "\(place).side")
    try require(0 < minimumArea && minimumArea <= 1, "\(place).minimumArea", "must be above 0 and at most 1")
    try require((0...1).contains(flipChance), "\(place).flipChance", "must be in 0...1")
    for (amount, name) in [
      (jitter.brightness, "brightness"), (jitter.contrast, "contrast"), (jitter.saturation, "saturation"),
    ] {
      try require((0...10).contains(amount), "\(place).jitter.\(name)", "must be in 0...10")
    }
    try normalization.check(at: "\(place).normalization")
  }
}

extension PixelNormalization {
  func check(at place: String) throws {
    try require(mean.count == 3 && mean.allSatisfy(\.isFinite), "\(place).mean", "needs three finite values")
    try require(
      deviation.count == 3 && deviation.allSatisfy { $0.isFinite && $0 != 0 }, "\(place).deviation",
      "needs three finite values that are not zero")
  }
}

extension RecalibrationParameters {
  func check(at place: String) throws {
    try require(batches, in: counts, "\(place).batches")
    try require(batch, in: counts, "\(place).batch")
  }
}
