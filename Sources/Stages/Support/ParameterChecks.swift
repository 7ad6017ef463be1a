import Models
import Pipelines

// Values that would make a network or a training impossible are refused where the pipeline file says them.

private func require(_ condition: Bool, _ parameter: String, _ message: String) throws {
  guard condition else { throw ParameterError(parameter, message) }
}

extension BodyConfiguration {
  func check(at place: String) throws {
    try require(stemChannels > 0, "\(place).stemChannels", "must be positive")
    try require(
      stageChannels.count == 4 && stageBlocks.count == 4, "\(place).stageChannels",
      "a body has four stages, each with channels and blocks")
    try require(stageBlocks.allSatisfy { $0 > 0 }, "\(place).stageBlocks", "every stage needs at least one block")
    try require(
      stageChannels.allSatisfy { $0 % 2 == 0 }, "\(place).stageChannels",
      "must be even, since blocks split their channels in half")
    let inputs = [stemChannels] + stageChannels
    try require(
      zip(inputs, stageChannels).allSatisfy { $0 < $1 }, "\(place).stageChannels",
      "must grow from the stem on, since the first block of a stage adds its own channels to those it got")
    try require(classifierChannels > 0, "\(place).classifierChannels", "must be positive")
  }
}

extension NetworkConfiguration {
  func check(at place: String) throws {
    try body.check(at: "\(place).body")
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
    try require(
      maskHead.layers > 0 && semantic.layers > 0, "\(place).maskHead.layers", "heads need at least one layer")
  }
}

extension ClassifierRecipe {
  func check(at place: String) throws {
    try require(steps > 0, "\(place).steps", "must be at least 1")
    try require(batch > 0, "\(place).batch", "must be at least 1")
    try require(replicas > 0, "\(place).replicas", "must be at least 1")
    try require((0..<1).contains(dropout), "\(place).dropout", "must be in 0 ..< 1")
    try require((0..<1).contains(labelSmoothing), "\(place).labelSmoothing", "must be in 0 ..< 1")
  }
}

extension PanopticRecipe {
  func check(at place: String) throws {
    try require(updates >= 0, "\(place).updates", "must not be negative")
    try require(batch > 0, "\(place).batch", "must be at least 1")
    try require(replicas > 0, "\(place).replicas", "must be at least 1")
    try require(warmup >= 0, "\(place).warmup", "must not be negative")
  }
}
