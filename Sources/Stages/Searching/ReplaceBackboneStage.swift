import Pipelines
import Search

/// An architecture with somebody else's backbone, such as DetNAS's behind the searched heads (paper, table 3:
/// "hand-crafted").
struct ReplaceBackboneStage: Stage {
  enum Backbone: String, Codable, CaseIterable {
    case detNAS = "detnas-coco-fpn"
    case publishedCOCO = "coco"
    case publishedADE20K = "ade20k"

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
    init() {}
  }

  static let name = "replace-backbone"
  static let version = 1
  static let summary = "puts a published backbone into an architecture"
  static let inputs = [InputPort("architecture", "json")]
  static let outputs = [OutputPort("architecture", "json")]

  let parameters: Parameters

  func run(in context: StageContext) throws {
    // The published backbones say choices of the published operators; whoever builds them checks that.
    var architecture = try context.input("architecture").plausibleArchitecture()
    architecture.backbone = parameters.backbone.choices
    try context.write("architecture", json: architecture)
  }
}
