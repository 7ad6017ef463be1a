import Datasets
import Pipelines

/// ImageNet on the user's disk: one folder a class.
struct ImageNetFolder: Source {
  typealias Parameters = NoParameters

  static let name = "imagenet-folder"
  static let version = 1
  static let summary = "ImageNet (train/<wnid>/*), in the folder that IMAGENET= names"
  static let variable = "IMAGENET"
  static let outputs = ["data"]

  init(parameters: NoParameters) throws {}

  func contents(of output: String) -> [String] { [ClassificationLayout.imageNet.training] }
}

/// A small synthetic data set in ImageNet's layout.
struct ImageNetMiniature: Stage {
  struct Parameters: StageParameters {
    var images = ClassificationMiniature()
    init() {}
  }

  static let name = "imagenet-miniature"
  static let version = 1
  static let summary = "draws small pictures of single objects and writes them in ImageNet's layout"
  static let outputs = [OutputPort("data", "tree")]

  let parameters: Parameters

  init(parameters: Parameters) throws {
    try require("images") { try parameters.images.validate() }
    self.parameters = parameters
  }

  func run(in context: StageContext) throws {
    try context.write("data") { try parameters.images.write(to: $0) }
  }
}
