import Determinism
import Models

extension PretrainStage: WorkEstimating {
  func claimedMemory(at site: EstimationSite) -> Int? {
    let (backbone, recipe, side) = (parameters.backbone, parameters.recipe, parameters.input.side)
    var memory = TrainingMemory(recipe, side: side, threads: site.threads)
    let channels = Double(backbone.classifierChannels)
    let classifier = channels * (1000 + Double(backbone.stageChannels.last ?? 0))
    memory.weights = backbone.weightEstimate(isSupernet: Mode.isSupernet) + classifier
    memory.path = backbone.weightEstimate(isSupernet: false) + classifier
    memory.keptPerImage = backbone.keptEstimate(pixels: memory.pixels, recomputesBlocks: false)
    return memory.bytes
  }

  func estimatedWork(at site: EstimationSite) throws -> EstimatedWork {
    let (backbone, recipe, side) = (parameters.backbone, parameters.recipe, parameters.input.side)
    let paths = backbone.evenPaths
    let measure = try site.machine.classifierTraining(
      backbone, content: Mode.isSupernet ? .supernet : .fixed(paths[0]), side: side, stage: site.stage)
    var work = EstimatedWork()
    work.steps = (recipe.steps, "updates")
    work.images = [recipe.steps, recipe.batch, recipe.replicas].productSaturated()
    let perImage = NetworkWork(backbone, paths: paths, side: side).training
    work.multiplyAdds = Double(work.images) * perImage
    var course = WorkCourse()
    course.steps = recipe.steps
    course.passes = recipe.replicas
    course.images = recipe.batch
    course.pass = measure.profile(
      multiplyAdds: Double(recipe.batch) * perImage, pixels: Double(recipe.batch) * Double(side) * Double(side))
    course.loading = try site.machine.loading(parameters.input, data: site.data())
    course.gradientBytes = 4 * backbone.pathShare(isSupernet: Mode.isSupernet) * Double(measure.parameters)
    work.course = course
    work.addWeights(
      measure, pathShare: backbone.pathShare(isSupernet: Mode.isSupernet),
      TrainingMemory(recipe, side: side, threads: site.threads))
    return work
  }
}

extension FinetuneSupernetStage: WorkEstimating {
  func facts(at site: EstimationSite) -> StageFacts { StageFacts(network: (parameters.network, site.data())) }

  func claimedMemory(at site: EstimationSite) -> Int? {
    TrainingMemory(
      parameters.network, isSupernet: true, parameters.recipe, input: parameters.input,
      passes: parameters.network.searchSpace.blockLength, at: site
    ).bytes
  }

  func estimatedWork(at site: EstimationSite) throws -> EstimatedWork {
    try EstimatedWork(
      training: parameters.network, content: .supernet, recipe: parameters.recipe, input: parameters.input,
      passes: parameters.network.searchSpace.blockLength, at: site)
  }
}

extension RetrainStage: WorkEstimating {
  func facts(at site: EstimationSite) -> StageFacts { StageFacts(network: (parameters.network, site.data())) }

  func claimedMemory(at site: EstimationSite) -> Int? {
    TrainingMemory(
      parameters.network, isSupernet: false, parameters.recipe, input: parameters.input,
      passes: parameters.recipe.replicas, at: site
    ).bytes
  }

  func estimatedWork(at site: EstimationSite) throws -> EstimatedWork {
    try EstimatedWork(
      training: parameters.network, content: .fixed(parameters.network.evenArchitectures[0]),
      recipe: parameters.recipe, input: parameters.input, passes: parameters.recipe.replicas, at: site)
  }
}

extension TrainingMemory {
  /// Of a panoptic network, told from its configuration.
  fileprivate init(
    _ network: NetworkConfiguration, isSupernet: Bool, _ recipe: PanopticRecipe, input: PanopticInput, passes: Int,
    at site: EstimationSite
  ) {
    let data = site.data()
    self.init(recipe, passes: passes, picture: input.paddedSizes.largest, data: data, threads: site.threads)
    weights = network.weightEstimate(
      isSupernet: isSupernet, thingClasses: data.things, stuffClasses: data.stuff)
    path = network.weightEstimate(isSupernet: false, thingClasses: data.things, stuffClasses: data.stuff)
    keptPerImage = network.keptEstimate(
      pixels: pixels, recomputesBlocks: TrainingMemory.isLarge(batch: batch, pixels: pixels), stuffClasses: data.stuff)
  }
}

extension EstimatedWork {
  /// Of a training of a panoptic network.
  /// - Parameter passes: of one update.
  fileprivate init(
    training network: NetworkConfiguration, content: NetworkContent, recipe: PanopticRecipe, input: PanopticInput,
    passes: Int, at site: EstimationSite
  ) throws {
    self.init()
    let data = site.data()
    let (usual, largest) = input.paddedSizes
    let measure = try site.machine.panoptic(
      network, content: content, data: data, picture: usual, stage: site.stage
    ).training
    let work = NetworkWork(
      network, architectures: network.evenArchitectures, data: data, height: usual.height, width: usual.width)
    steps = (recipe.updates, "updates")
    images = [recipe.updates, passes, recipe.batch].productSaturated()
    multiplyAdds = Double(images) * work.training
    let usualPixels = Double(usual.height) * Double(usual.width)
    let pathShare = network.pathShare(isSupernet: content == .supernet)
    let memory = TrainingMemory(recipe, passes: passes, picture: largest, data: data, threads: site.threads)
    var course = WorkCourse()
    course.setup = try site.machine.indexing(data.training.addingSaturated(data.validation))
    course.steps = recipe.updates
    course.passes = passes
    course.images = recipe.batch
    course.isOneByOne = TrainingMemory.isLarge(batch: recipe.batch, pixels: usualPixels)
    // Blocks of the backbone over large pictures are computed twice.
    let again = course.isOneByOne ? work.backbone : 0
    course.pass = measure.profile(
      multiplyAdds: Double(recipe.batch) * (work.training + again), pixels: Double(recipe.batch) * usualPixels)
    course.loading = try site.machine.loading(input, data: data)
    course.gradientBytes = 4 * pathShare * Double(measure.parameters)
    self.course = course
    addWeights(measure, pathShare: pathShare, memory)
  }

  /// Memory and disk of a training whose network was measured.
  /// - Parameters:
  ///   - pathShare: of the weights, those that a pass uses.
  ///   - memory: without weights and activations.
  fileprivate mutating func addWeights(
    _ measure: Calibration.Measure, pathShare: Double, _ memory: TrainingMemory
  ) {
    var memory = memory
    memory.weights = Double(measure.parameters)
    memory.path = pathShare * Double(measure.parameters)
    memory.keptPerImage = (memory.pixels * measure.bytesPerPixel + measure.bytesPerImage) / 4
    self.memory = memory.bytes
    bytesWritten = 4 * measure.parameters
    checkpointBytes = 2 * 4 * measure.parameters
  }
}

extension BackboneConfiguration {
  fileprivate func pathShare(isSupernet: Bool) -> Double {
    weightEstimate(isSupernet: false) / weightEstimate(isSupernet: isSupernet)
  }
}

extension NetworkConfiguration {
  /// Classes hardly matter here.
  fileprivate func pathShare(isSupernet: Bool) -> Double {
    weightEstimate(isSupernet: false, thingClasses: 80, stuffClasses: 53)
      / weightEstimate(isSupernet: isSupernet, thingClasses: 80, stuffClasses: 53)
  }
}

extension PanopticInput {
  /// The padded sizes of a usual image (3:4) and of the largest.
  var paddedSizes: (usual: (height: Int, width: Int), largest: (height: Int, width: Int)) {
    func padded(_ side: Int) -> Int { (side + 31) / 32 * 32 }
    let usual = resize.size(width: 640, height: 480)
    return (
      (padded(usual.height), padded(usual.width)), (padded(resize.shorterSide), padded(resize.longestSide))
    )
  }
}
