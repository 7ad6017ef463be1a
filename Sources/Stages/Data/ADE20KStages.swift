import Datasets
import Pipelines

/// ADE20K on the user's disk, as the Places Challenge 2017 published it, or the full data set of 2021.
struct ADE20KFolder: Source {
  struct Parameters: StageParameters {
    var layout = ADE20K.Layout.challenge
    init() {}
  }

  static let name = "ade20k-folder"
  static let version = 1
  static let summary =
    "ADE20K of the Places Challenge 2017, or with 'layout: full' that of 2021, in the folder that ADE20K= names"
  static let variable = "ADE20K"
  static let outputs = ["data"]

  let parameters: Parameters

  init(parameters: Parameters) throws { self.parameters = parameters }

  func contents(of output: String) -> [String] { parameters.layout.contents }

  func selects(_ path: String, for output: String) -> Bool { parameters.layout.reads(path) }
}

/// A small synthetic data set in ADE20K's layout.
struct ADE20KMiniature: Stage {
  struct Parameters: StageParameters {
    var scenes: PanopticMiniature = {
      var scenes = PanopticMiniature()
      scenes.style = "indoor"
      scenes.crowdProbability = 0
      return scenes
    }()
    init() {}
  }

  static let name = "ade20k-miniature"
  static let version = 1
  static let summary = "draws a small panoptic data set and writes it in ADE20K's layout"
  static let outputs = [OutputPort("data", "tree")]

  let parameters: Parameters

  init(parameters: Parameters) throws {
    try require("scenes") { try parameters.scenes.validate() }
    self.parameters = parameters
  }

  func run(in context: StageContext) throws {
    try context.write("data") { try parameters.scenes.writeADE20K(to: $0) }
  }
}

/// Converts semantic and instance annotations to panoptic ones: 100 classes of things, 50 of stuff (method 11.2).
struct ConvertADE20KStage: Stage {
  struct Parameters: StageParameters {
    var classes = ADE20K.Classes.all
    init() {}
  }

  static let name = "convert-ade20k"
  static let version = 2
  static let summary = "makes a panoptic data set in COCO's layout from ADE20K"
  static let inputs = [InputPort("source", "tree")]
  static let outputs = [OutputPort("data", "tree")]

  let parameters: Parameters

  init(parameters: Parameters) throws { self.parameters = parameters }

  func run(in context: StageContext) throws {
    let input = context.input("source")
    let source = ADE20K(files: input.tree, layout: ADE20K.Layout(ofFiles: input.files ?? []))
    try context.write("data") { context.tell(try source.convert(to: $0, classes: parameters.classes)) }
  }
}
