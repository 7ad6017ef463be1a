import Datasets
import Determinism
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
  static let version = 3
  static let summary = "segments the validation images and writes COCO panoptic JSON and PNGs"
  static let inputs = [
    InputPort("data", "tree"), InputPort("weights", "tensors"), InputPort("architecture", "json", optional: true),
  ]
  /// `panoptic_val2017.json` and the folder `panoptic_val2017`.
  static let outputs = [OutputPort("predictions", "tree")]
  static let traits = Traits.training
  static let usesTeam = true

  let parameters: Parameters
  private let operators: NetworkCatalog

  init(parameters: Parameters) throws { try self.init(parameters: parameters, operators: .published) }

  /// - Parameter operators: what the network of `weights` may consist of.
  init(parameters: Parameters, operators: NetworkCatalog) throws {
    try parameters.input.check(at: "input")
    try parameters.fusion.check(at: "fusion")
    self.parameters = parameters
    self.operators = operators
  }

  func run(in context: StageContext) throws {
    let weights = context.input("weights").path
    let architecture = try context.architecture(
      for: PanopticNetwork.configuration(fileAt: weights, operators: operators))
    let network = try PanopticNetwork.load(fileAt: weights, content: .fixed(architecture), operators: operators)
    try context.requireMemory(
      values: MemoryNeed.evaluation(network, input: parameters.input, batch: 1), advice: "'input.resize'")
    let data = try context.panopticData(PanopticLayout.coco.validation)
    // Every image is used once: none is worth keeping.
    let loader = try PanopticLoader(
      data, parameters.input.loading(batch: 1), seeds: PanopticPredictor.unusedSeeds, cacheBytes: 0)
    let predictor = PanopticPredictor(
      network: network, path: architecture, categories: data.categories, fusion: parameters.fusion.fusion)
    guard context.team.isLeader else {
      var none: PanopticWriter?
      return try predict(with: predictor, loader, to: &none, in: context)
    }
    try context.write("predictions") { folder in
      let (index, labels) = PanopticLayout.coco.predictions
      var writer: PanopticWriter? = try PanopticWriter(folder: "\(folder)/\(labels)")
      try predict(with: predictor, loader, to: &writer, in: context)
      try writer!.finish(json: "\(folder)/\(index)", categories: data.categories)
    }
  }

  /// Segments one image after the other, or with a team a round of them; each is written to the disk, and freed,
  /// before the next. The checkpoint of an interrupted stage holds the images that are done.
  /// - Parameter writer: nil for members of a team that hand everything to its leader.
  private func predict(
    with predictor: PanopticPredictor, _ loader: PanopticLoader, to writer: inout PanopticWriter?,
    in context: StageContext
  ) throws {
    let samples = loader.dataset.samples
    for sample in samples {
      try PictureSegmenter.requireSize(
        width: sample.image.width, height: sample.image.height, place: sample.imagePath)
    }
    let names = try PanopticWriter.names(of: samples.map(\.image))
    var done = 0
    if let checkpoint = try context.latestCheckpoint() {
      try writer?.restore(from: checkpoint.path)
      done = writer?.images.count ?? checkpoint.step
    }
    func save() throws {
      if done > 0 { try context.saveCheckpoint(step: done, of: samples.count) { try writer?.save(to: $0) } }
    }
    let clock = ContinuousClock()
    let begin = clock.now
    func now() -> Double { (clock.now - begin) / .seconds(1) }
    var policy = CheckpointPolicy(interval: context.checkpointInterval, start: now())
    while done < samples.count {
      if try context.shouldStop() {
        try save()
        throw StageInterrupted()
      }
      let round = done..<min(samples.count, done + context.team.roundLength)
      let pages = try context.team.deal(round, forAll: false) { i in
        PanopticWriter.Page(predictor.segmentation(of: try loader.evaluationBatch(samples: [i]))).wireForm
      }
      for (i, page) in zip(round, pages) {
        try writer?.add(PanopticWriter.Page(wireForm: page), of: samples[i].image, as: names[i])
      }
      done = round.upperBound
      context.progress(step: done, of: samples.count, unit: "images")
      let time = now()
      if done < samples.count, policy.isDue(at: time) {
        try save()
        policy.saved(from: time, to: now())
      }
    }
  }
}
