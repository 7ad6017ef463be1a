import Datasets
import Determinism
import Pipelines

/// How much data a stage reads, as far as it can be told without looking at files.
struct DataSize {
  var training = 0
  var validation = 0
  var things = 0
  var stuff = 0
  /// Of a classifier.
  var classes = 0

  /// train2017 and val2017 (spec 11.1).
  static let coco = DataSize(training: 118_287, validation: 5_000, things: 80, stuff: 53)
  /// Spec 11.2.
  static let ade20k = DataSize(training: 20_210, validation: 2_000, things: 100, stuff: 50)
  static let imagenet = DataSize(training: 1_281_167, validation: 50_000, classes: 1000)

  /// What a stage that makes or names data gives; nil for other kinds. Folders count as the published sets, whatever is
  /// in them.
  init?(_ stage: Pipeline.StageSummary) throws {
    switch stage.kind.name {
    case CocoFolder.name: self = .coco
    case ADE20KFolder.name: self = .ade20k
    case ImageNetFolder.name: self = .imagenet
    case CocoMiniature.name:
      try self.init(stage.parameters.decoded(as: CocoMiniature.Parameters.self).scenes)
    case ADE20KMiniature.name:
      try self.init(stage.parameters.decoded(as: ADE20KMiniature.Parameters.self).scenes)
    case ImageNetMiniature.name:
      let pictures = try stage.parameters.decoded(as: ImageNetMiniature.Parameters.self).images
      self.init(
        training: pictures.classCount.multipliedSaturated(by: pictures.trainPerClass),
        validation: pictures.classCount.multipliedSaturated(by: pictures.validationPerClass),
        classes: pictures.classCount)
    default: return nil
    }
  }

  private init(_ scenes: PanopticMiniature) throws {
    let classes = try scenes.classCounts()
    self.init(
      training: scenes.trainCount, validation: scenes.validationCount, things: classes.things,
      stuff: classes.stuff)
  }

  init(training: Int = 0, validation: Int = 0, things: Int = 0, stuff: Int = 0, classes: Int = 0) {
    self.training = training
    self.validation = validation
    self.things = things
    self.stuff = stuff
    self.classes = classes
  }
}
