import Models
import Pipelines
import Search

/// An architecture with somebody else's backbone, such as DetNAS's behind the searched heads (paper, table 3:
/// "hand-crafted").
struct ReplaceBackboneStage: Stage {
  enum Backbone: String, Codable, CaseIterable {
    case detNAS = "detnas-coco-fpn"
    case publishedCOCO = "coco"
    case publishedADE20K = "ade20k"

    /// Of all forty blocks.
    var choices: [Int] {
      switch self {
      case .detNAS: DetNASBackbone.cocoFPN
      case .publishedCOCO: Architecture.publishedCOCO.backbone
      case .publishedADE20K: Architecture.publishedADE20K.backbone
      }
    }
  }

  struct Parameters: StageParameters {
    var backbone = Backbone.detNAS
    /// How many blocks of each of its four stages are taken, the first ones, for networks with fewer; nil: all.
    var blocks: [Int]?
    init() {}

    var choices: [Int] {
      let published = ReplaceBackboneStage.published
      let starts = published.indices.map { published[..<$0].reduce(0, +) }
      return zip(starts, blocks ?? published).flatMap { backbone.choices[$0..<$0 + $1] }
    }
  }

  /// Blocks of the stages of all published backbones.
  private static let published = BackboneConfiguration.search1G3.stageBlocks

  static let name = "replace-backbone"
  static let version = 1
  static let summary = "puts a published backbone into an architecture"
  static let inputs = [InputPort("architecture", "json")]
  static let outputs = [OutputPort("architecture", "json")]

  let parameters: Parameters

  init(parameters: Parameters) throws {
    if let blocks = parameters.blocks {
      try require(
        blocks.count == Self.published.count && zip(blocks, Self.published).allSatisfy { (1...$1).contains($0) },
        "blocks", "must be four numbers, from 1 to the published \(Self.published)")
    }
    self.parameters = parameters
  }

  func run(in context: StageContext) throws {
    // The published backbones say choices of the published operators; whoever builds them checks that.
    var architecture = try context.input("architecture").plausibleArchitecture()
    architecture.backbone = parameters.choices
    try context.write("architecture", json: architecture)
  }
}
