import Determinism
import Models
import Pipelines

/// How large a network is at least, told from its parameters alone: measuring builds the network, and what fits into no
/// memory must be refused before that.
struct NetworkBulk {
  /// Values of the largest parts: parameters, and results that are there at a time.
  private var parts: [(name: String, values: Double)] = []

  /// 2 GiB of binary32 for any part.
  private static let limit = 0x1p29

  init(_ backbone: BackboneConfiguration) {
    add("the backbone", NetworkBulk.parameters(backbone))
    add("the classifier", Double(backbone.classifierChannels) * (1000 + Double(backbone.stageChannels.last ?? 0)))
  }

  init(_ network: NetworkConfiguration) {
    func number(_ value: Int) -> Double { Double(value) }
    func square(_ value: Int) -> Double { Double(value) * Double(value) }
    let pyramid = number(network.pyramidChannels)
    add("the backbone", NetworkBulk.parameters(network.backbone))
    add("the pyramid", pyramid * (45 * pyramid + network.backbone.stageChannels.map(number).reduce(0, +)))
    // Of the largest picture that is measured, 256×320, P2 to P6 have fewer than 7000 cells.
    let anchors = 7000 * number(network.anchors.ratios.count)
    add("the anchors", anchors * 8)
    add("the attention's choices", number(network.attention.ratios.count) * 0x1p23)
    let (box, mask, semantic) = (network.boxHead, network.maskHead, network.semantic)
    let pooled = pyramid * square(box.pooledSize)
    add("the box head", number(box.hidden) * (pooled + number(box.hidden)))
    let regions = max(number(box.batchPerImage), min(anchors, number(network.proposals.postNMSTest)))
    add("the regions of the box head", regions * (pooled + number(box.hidden)))
    // Of six operators a supernet has all; a deformable one is the largest.
    add("the mask head", number(mask.layers) * 60 * number(mask.channels) * max(pyramid, number(mask.channels)))
    let area = square(mask.pooledSize)
    add("the regions of the mask head", number(box.detectionsPerImage) * area * 4 * max(pyramid, number(mask.channels)))
    add(
      "the semantic branch",
      number(semantic.layers) * 60 * number(semantic.channels) * max(pyramid, number(semantic.channels)))
  }

  private mutating func add(_ name: String, _ values: Double) { parts.append((name, values)) }

  /// All four choices of a block together have about 2.25 c² parameters at c channels.
  private static func parameters(_ backbone: BackboneConfiguration) -> Double {
    zip(backbone.stageBlocks, backbone.stageChannels).map { 2.25 * Double($0) * Double($1) * Double($1) }.reduce(0, +)
  }

  /// - Throws: where a part is too large to be measured on any machine that is expected to estimate.
  func check(stage: String) throws {
    guard let largest = parts.max(by: { $0.values < $1.values }), !(largest.values <= NetworkBulk.limit) else { return }
    throw PipelineError(
      .badValue,
      "stage '\(stage)': \(largest.name) has about \(largest.values.text(digits: 0)) values, more than can be measured "
        + "here; at most \(NetworkBulk.limit.text(digits: 0)) can")
  }
}
