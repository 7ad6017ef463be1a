import Determinism
import Models

extension PretrainStage: WorkEstimating {
  func estimatedWork(at site: EstimationSite) throws -> EstimatedWork {
    let (backbone, recipe, side) = (parameters.backbone, parameters.recipe, parameters.input.side)
    let paths = backbone.evenPaths
    let measure = try site.machine.classifierTraining(
      backbone, content: Mode.isSupernet ? .supernet : .fixed(paths[0]), side: side, stage: site.stage)
    let images = recipe.batch.multipliedSaturated(by: recipe.replicas)
    var work = EstimatedWork()
    work.steps = (recipe.steps, "updates")
    work.images = recipe.steps.multipliedSaturated(by: images)
    work.multiplyAdds = Double(work.images) * NetworkWork(backbone, paths: paths, side: side).training
    work.seconds = work.multiplyAdds / measure.rate
    work.addWeights(measure, activations: Double(images) * Double(side) * Double(side) * measure.bytesPerPixel)
    return work
  }
}

extension FinetuneSupernetStage: WorkEstimating {
  func estimatedWork(at site: EstimationSite) throws -> EstimatedWork {
    try EstimatedWork(
      training: parameters.network, content: .supernet, recipe: parameters.recipe, input: parameters.input,
      passes: parameters.network.searchSpace.blockLength, at: site)
  }
}

extension RetrainStage: WorkEstimating {
  func estimatedWork(at site: EstimationSite) throws -> EstimatedWork {
    try EstimatedWork(
      training: parameters.network, content: .fixed(parameters.network.evenArchitectures[0]),
      recipe: parameters.recipe, input: parameters.input, passes: parameters.recipe.replicas, at: site)
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
    seconds = multiplyAdds / measure.rate
    let perImage = Double(largest.height) * Double(largest.width) * measure.bytesPerPixel + measure.bytesPerImage
    addWeights(measure, activations: Double(recipe.batch) * perImage)
    facts.network = (network, data)
  }

  /// Memory and disk of a training: values, velocities, sums of gradients and a pass's own; what the backward pass
  /// needs, and a quarter more for gradients on their way, what operations need for themselves, and many objects.
  fileprivate mutating func addWeights(_ measure: Calibration.Measure, activations: Double) {
    memory = (4 * 4 * measure.parameters).addingSaturated(Int(saturating: activations * 1.25))
    bytesWritten = 4 * measure.parameters
    checkpointBytes = 2 * 4 * measure.parameters
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
