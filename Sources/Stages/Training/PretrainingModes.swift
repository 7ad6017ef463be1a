import Models
import Pipelines

/// The supernet's backbone, one random path a step (method 2.1, a).
enum SupernetPretraining: PretrainingMode {
  static let name = "pretrain-supernet"
  static let summary = "trains the four-choice backbone on ImageNet, one random path a step"
  static let backbone = BackboneConfiguration.search1G3
  static let recipe = ClassifierRecipe()
  static let isSupernet = true

  static func check(_ backbone: BackboneConfiguration) throws { try backbone.checkChoices(at: "backbone") }

  static func choices(of backbone: BackboneConfiguration, in context: StageContext) -> BackboneChoices { .supernet }
}

/// One searched backbone at its final width (method 2.1, b; fidelity 15).
enum ArchitecturePretraining: PretrainingMode {
  static let name = "pretrain-architecture"
  static let summary = "trains the backbone of one architecture on ImageNet"
  static let inputs = [InputPort("architecture", "json")]
  static let backbone = BackboneConfiguration.retrain3G8
  static let recipe = ClassifierRecipe(steps: 600_000, batch: 512, baseRate: 0.25)

  static func choices(of backbone: BackboneConfiguration, in context: StageContext) throws -> BackboneChoices {
    .fixed(try context.input("architecture").architecture(in: backbone).backbone)
  }
}

/// A backbone that is not searched: the ResNet of the baselines (method 1.7).
enum BackbonePretraining: PretrainingMode {
  static let name = "pretrain-backbone"
  // Streams keep the name under which results were published.
  static let streamName = "pretrain-body"
  static let summary = "trains a ResNet backbone on ImageNet"
  static let backbone = BackboneConfiguration.resNet50
  static let recipe = ClassifierRecipe(steps: 600_000, batch: 512, baseRate: 0.25)

  static func check(_ backbone: BackboneConfiguration) throws {
    guard !backbone.isSearched else {
      throw ParameterError(
        "backbone.family", "must be one without choices, such as resnet; searched backbones need an architecture")
    }
  }

  static func choices(of backbone: BackboneConfiguration, in context: StageContext) -> BackboneChoices { .fixed([]) }
}

typealias PretrainSupernetStage = PretrainStage<SupernetPretraining>
typealias PretrainArchitectureStage = PretrainStage<ArchitecturePretraining>
typealias PretrainBackboneStage = PretrainStage<BackbonePretraining>
