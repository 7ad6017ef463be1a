import Datasets
import Panoptic
import Pipelines

/// A COCO data set on the user's disk, with panoptic annotations.
struct CocoFolder: Source {
  typealias Parameters = NoParameters

  static let name = "coco-folder"
  static let version = 1
  static let summary = "COCO 2017 with panoptic annotations, in the folder that COCO= names"
  static let variable = "COCO"
  static let outputs = ["data"]

  init(parameters: NoParameters) throws {}

  func contents(of output: String) -> [String] {
    let parts = [PanopticLayout.coco.training, PanopticLayout.coco.validation]
    return parts.map(\.images) + parts.flatMap { [$0.labels, $0.index] }
  }
}

/// A small synthetic data set in COCO's layout.
struct CocoMiniature: Stage {
  struct Parameters: StageParameters {
    var scenes = PanopticMiniature()
    init() {}
  }

  static let name = "coco-miniature"
  static let version = 1
  static let summary = "draws a small panoptic data set and writes it in COCO's layout"
  static let outputs = [OutputPort("data", "tree")]

  let parameters: Parameters

  init(parameters: Parameters) throws {
    try require("scenes") { try parameters.scenes.validate() }
    self.parameters = parameters
  }

  func run(in context: StageContext) throws {
    try context.write("data") { try parameters.scenes.write(to: $0) }
  }
}

/// Holds out training images for judging candidates (method 11.3).
struct DrawSearchSplitStage: Stage {
  struct Parameters: StageParameters {
    /// Search-validation images; the rest trains the supernet.
    var validationImages = 5_000
    init() {}
  }

  static let name = "draw-search-split"
  static let version = 1
  static let summary = "draws the search-validation images from the training images"
  static let inputs = [InputPort("data", "tree")]
  static let outputs = [OutputPort("split", "json")]
  static let isRandom = true

  let parameters: Parameters

  init(parameters: Parameters) throws {
    guard parameters.validationImages > 0 else { throw ParameterError("validationImages", "must be at least 1") }
    self.parameters = parameters
  }

  func run(in context: StageContext) throws {
    let data = try context.panopticData(PanopticLayout.coco.training)
    let split = try SearchSplit(
      data.samples.map(\.id), validationCount: parameters.validationImages, seed: context.seeds.seed)
    try context.write("split", json: split)
  }
}
