import Datasets
import Foundation
import Models
import Panoptic
import Pipelines
import Search

/// Panoptic predictions of a trained network on the validation images, in COCO's format.
struct PredictPanopticStage: Stage {
  struct Parameters: StageParameters {
    var input = PanopticInput()
    var fusion = FusionParameters()
    init() {}
  }

  static let name = "predict-panoptic"
  static let version = 2
  static let summary = "segments the validation images and writes COCO panoptic JSON and PNGs"
  static let inputs = [
    InputPort("data", "tree"), InputPort("weights", "tensors"), InputPort("architecture", "json", optional: true),
  ]
  /// `panoptic_val2017.json` and the folder `panoptic_val2017`.
  static let outputs = [OutputPort("predictions", "tree")]
  static let traits = Traits.training

  let parameters: Parameters

  init(parameters: Parameters) throws {
    try parameters.input.check(at: "input")
    try parameters.fusion.check(at: "fusion")
    self.parameters = parameters
  }

  func run(in context: StageContext) throws {
    let weights = context.input("weights").path
    let architecture = try context.architecture(for: PanopticNetwork.configuration(fileAt: weights))
    let network = try PanopticNetwork.load(fileAt: weights, content: .fixed(architecture))
    try context.requireMemory(
      values: MemoryNeed.evaluation(network, input: parameters.input, batch: 1), advice: "'input.resize'")
    let data = try PanopticDataset(cocoRoot: context.input("data").path, part: "val2017")
    let loader = try PanopticLoader(data, parameters.input.loading(batch: 1), seeds: PanopticPredictor.unusedSeeds)
    let predictor = PanopticPredictor(
      network: network, path: architecture, categories: data.categories, fusion: parameters.fusion.fusion)
    var results: [(image: PanopticImage, segmentation: PanopticSegmentation)] = []
    for (index, sample) in data.samples.enumerated() {
      try context.checkCancelled()
      results.append((sample.image, predictor.segmentation(of: try loader.evaluationBatch(samples: [index]))))
      context.progress(step: results.count, of: data.samples.count, unit: "images")
    }
    try context.write("predictions") { folder in
      let pngs = folder + "/panoptic_val2017"
      try FileManager.default.createDirectory(atPath: pngs, withIntermediateDirectories: true)
      try PanopticFiles.write(
        results, categories: data.categories, json: folder + "/panoptic_val2017.json", folder: pngs)
    }
  }
}
