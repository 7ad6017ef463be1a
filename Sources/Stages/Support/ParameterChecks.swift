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

/// Checks a description that knows its own rules, so that a plan refuses it and not the run.
/// - Parameter parameter: the member that holds the description.
func require(_ parameter: String, _ check: () throws -> Void) throws {
  do { try check() } catch let error as DatasetError {
    // Some rules are about two members; the first is pointed at.
    let member = error.parameter?.prefix { $0 != "," }
    throw ParameterError(member.map { "\(parameter).\($0)" } ?? parameter, error.message)
  }
}

/// NaN is in no range.
func require(_ value: Double, in range: ClosedRange<Double>, _ parameter: String) throws {
  try require(
    range.contains(value), parameter, "must be in \(range.lowerBound)...\(range.upperBound), is \(value)")
}

func require(_ value: Float, in range: ClosedRange<Double>, _ parameter: String) throws {
  try require(Double(value), in: range, parameter)
}

/// Checks the number of models that a stage proposes, all of which are held at once.
func requireCandidates(_ count: Int, of network: NetworkConfiguration, _ parameter: String) throws {
  let most = min(100_000, 20_000_000 / max(1, network.searchSpace.layerCount))
  try require(
    (1...most).contains(count), parameter, "must give 1...\(most) models of such a network, gives \(count)")
}

let counts = 1...1_000_000
let stepCounts = 1...1_000_000_000
/// Of pictures, in pixels.
let sides = 1...65_536
private let channelCounts = 1...65_536
/// Of the choices of a layer.
private let choiceCounts = 1...32

extension OperatorSet {
  func check(at place: String) throws {
    try require(operators.count, in: choiceCounts, place)
    try require(Set(operators).count == operators.count, place, "names an operator twice")
  }
}

extension BackboneConfiguration {
  func check(at place: String) throws {
    try require(stemChannels, in: channelCounts, "\(place).stemChannels")
    try require(
      stageChannels.count == 4 && stageBlocks.count == 4, "\(place).stageChannels",
      "a backbone has four stages, each with channels and blocks")
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
    if let objection = family.definition.objection(to: stageChannels) {
      throw ParameterError("\(place).stageChannels", objection)
    }
    try require(classifierChannels, in: channelCounts, "\(place).classifierChannels")
    try require(branchScale, in: -1000...1000, "\(place).branchScale")
    if let reluShift { try require(reluShift, in: -1000...1000, "\(place).reluShift") }
    try operators.check(at: "\(place).operators")
  }

  /// For a backbone that is trained path by path.
  func checkChoices(at place: String) throws {
    try require(
      isSearched, "\(place).family", "must be one whose operators are searched, such as shuffle")
  }
}

extension NetworkConfiguration {
  func check(at place: String) throws {
    try backbone.check(at: "\(place).backbone")
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
      anchors.sizes.count == 5 && anchors.sizes.allSatisfy { counts.contains($0) }, "\(place).anchors.sizes",
      "needs one size in \(counts.lowerBound)...\(counts.upperBound) for each of P2 to P6")
    try require(anchors.ratios.count, in: choiceCounts, "\(place).anchors.ratios")
    for ratio in anchors.ratios { try require(ratio, in: 0.001...1000, "\(place).anchors.ratios") }
    try require(attention.ratios.count, in: choiceCounts, "\(place).attention.ratios")
    for ratio in attention.ratios { try require(ratio, in: channelCounts, "\(place).attention.ratios") }
    try headOperators.check(at: "\(place).headOperators")
    try require(semanticLossWeight, in: 0...1000, "\(place).semanticLossWeight")
    try require(maskHead.layers, in: 1...1000, "\(place).maskHead.layers")
    try require(semantic.layers, in: 1...1000, "\(place).semantic.layers")
    if let levels = semantic.classifiedLevels { try require(levels, in: 1...4, "\(place).semantic.classifiedLevels") }
    try require(boxHead.pooledSize, in: 1...256, "\(place).boxHead.pooledSize")
    try require(maskHead.pooledSize, in: 1...256, "\(place).maskHead.pooledSize")
    try require(levelRule.canonicalScale, in: 0.001...1_000_000, "\(place).levelRule.canonicalScale")
    try require(levelRule.canonicalLevel, in: 0...64, "\(place).levelRule.canonicalLevel")
    try proposals.check(at: "\(place).proposals")
    try boxHead.check(at: "\(place).boxHead")
  }

  /// For a network that is trained path by path: parts that are not searched would count as choices.
  func checkChoices(at place: String) throws {
    try backbone.checkChoices(at: "\(place).backbone")
    try require(heads == .searched, "\(place).heads", "must be searched: plain heads have nothing to choose")
  }
}

extension ProposalConfiguration {
  func check(at place: String) throws {
    try require(
      0 <= backgroundIoUThreshold && backgroundIoUThreshold <= foregroundIoUThreshold && foregroundIoUThreshold <= 1,
      "\(place).foregroundIoUThreshold",
      "needs 0 <= background-iou-threshold <= foreground-iou-threshold <= 1")
    try require(batchPerImage, in: counts, "\(place).batchPerImage")
    try require((0...1).contains(positiveFraction), "\(place).positiveFraction", "must be in 0...1")
    try require(preNMSTrain, in: counts, "\(place).preNMSTrain")
    try require(preNMSTest, in: counts, "\(place).preNMSTest")
    try require(postNMSTrain, in: counts, "\(place).postNMSTrain")
    try require(postNMSTest, in: counts, "\(place).postNMSTest")
    if let imagesPerLimit { try require(imagesPerLimit, in: counts, "\(place).imagesPerLimit") }
    try require((0...1).contains(nmsIoUThreshold), "\(place).nmsIoUThreshold", "must be in 0...1")
    try require(smoothL1Beta, in: 1e-6...1e6, "\(place).smoothL1Beta")
  }
}

extension BoxHeadConfiguration {
  func check(at place: String) throws {
    try require((0...1).contains(foregroundIoUThreshold), "\(place).foregroundIoUThreshold", "must be in 0...1")
    try require(batchPerImage, in: counts, "\(place).batchPerImage")
    try require((0...1).contains(positiveFraction), "\(place).positiveFraction", "must be in 0...1")
    try require(smoothL1Beta, in: 1e-6...1e6, "\(place).smoothL1Beta")
    try require((0...1).contains(scoreThreshold), "\(place).scoreThreshold", "must be in 0...1")
    try require((0...1).contains(nmsIoUThreshold), "\(place).nmsIoUThreshold", "must be in 0...1")
    try require(detectionsPerImage, in: counts, "\(place).detectionsPerImage")
  }
}
