import Datasets
import Models
import Pipelines
import Vision

// Names of earlier versions. A pipeline file with one of them is told the new one.

extension Stages {
  /// New names of kinds by former ones.
  static let formerKindNames = ["pretrain-body": "pretrain-backbone"]
}

extension BackboneConfiguration: HasFormerNames {
  public static let formerNames = ["initial-deviation": "init-std", "halving": "bottleneck-stride"]
}

extension BottleneckStride: HasFormerNames {
  public static let formerNames = ["first": "1x1", "spatial": "3x3"]
}

extension NetworkConfiguration: HasFormerNames {
  public static let formerNames = ["body": "backbone"]
}

extension SemanticConfiguration: HasFormerNames {
  public static let formerNames = ["branch": "head"]
}

extension ProposalConfiguration: HasFormerNames {
  public static let formerNames = [
    "positive-overlap": "foreground-iou-threshold", "negative-overlap": "background-iou-threshold",
    "nms-overlap": "nms-iou-threshold",
  ]
}

extension BoxHeadConfiguration: HasFormerNames {
  public static let formerNames = [
    "positive-overlap": "foreground-iou-threshold", "nms-overlap": "nms-iou-threshold",
  ]
}

extension PixelNormalization: HasFormerNames {
  public static let formerNames = ["deviation": "std"]
}

extension PanopticMiniature: HasFormerNames {
  public static let formerNames = ["crowd-chance": "crowd-probability", "void-chance": "void-probability"]
}

extension PanopticInput: HasFormerNames {
  static let formerNames = ["flip-chance": "flip-probability"]
}

extension ClassificationInput: HasFormerNames {
  static let formerNames = ["flip-chance": "flip-probability"]
}

extension ImageNetMiniature.Parameters: HasFormerNames {
  static let formerNames = ["pictures": "images"]
}

extension PretrainStage.Parameters: HasFormerNames {
  static var formerNames: [String: String] { ["body": "backbone"] }
}

extension EvolveCandidatesStage.Parameters: HasFormerNames {
  static let formerNames = ["crossings": "crossovers"]
}
