import Datasets
import Determinism

/// How many images and classes a data set has, as far as it can be told without looking at files.
public struct DataSize: Sendable {
  /// Images.
  public var training = 0
  public var validation = 0
  public var things = 0
  public var stuff = 0
  /// Of a classifier.
  public var classes = 0
  /// A usual picture, in pixels.
  public var width = 640
  public var height = 480

  /// train2017 and val2017 (method 11.1).
  static let coco = DataSize(training: 118_287, validation: 5_000, things: 80, stuff: 53)
  /// Method 11.2.
  static let ade20k = DataSize(training: 20_210, validation: 2_000, things: 100, stuff: 50)
  static let imagenet = {
    var size = DataSize(training: 1_281_167, validation: 50_000, classes: 1000)
    (size.width, size.height) = (500, 400)
    return size
  }()

  public init(training: Int = 0, validation: Int = 0, things: Int = 0, stuff: Int = 0, classes: Int = 0) {
    self.training = training
    self.validation = validation
    self.things = things
    self.stuff = stuff
    self.classes = classes
  }

  /// Of a miniature.
  /// - Throws: `DatasetError` for parameters out of range.
  init(_ scenes: PanopticMiniature) throws {
    let classes = try scenes.classCounts()
    self.init(
      training: scenes.trainCount, validation: scenes.validationCount, things: classes.things,
      stuff: classes.stuff)
    (width, height) = (scenes.width, scenes.height)
  }

  /// Of a miniature.
  init(_ pictures: ClassificationMiniature) {
    self.init(
      training: pictures.classCount.multipliedSaturated(by: pictures.trainPerClass),
      validation: pictures.classCount.multipliedSaturated(by: pictures.validationPerClass),
      classes: pictures.classCount)
    (width, height) = (pictures.maximumSide, pictures.maximumSide)
  }
}
