import Determinism
import Models

/// Memory of an evaluation of one architecture.
private struct EvaluationMemory {
  /// Bytes.
  private(set) var total: Int

  /// - Parameters:
  ///   - batch: images at a time that the backbone alone sees, to gather statistics.
  ///   - pictures: images that a loader keeps decoded, 512 MiB of them at most; several loaders have several.
  init(
    _ trained: (configuration: NetworkConfiguration, data: DataSize), input: PanopticInput, batch: Int, pictures: [Int]
  ) {
    let (network, data) = trained
    let (height, width) = input.paddedSizes.largest
    let pixels = Double(height) * Double(width)
    let weights = network.weightEstimate(
      isSupernet: false, thingClasses: data.things, stuffClasses: data.stuff)
    // Results of a backbone without a backward pass live for one layer; those of the stem are the largest.
    let recalibration = Double(batch) * pixels * (3 + 3 * Double(network.backbone.stemChannels) / 4)
    let testing = 2 * network.featureFloor(pixels: pixels, stuffClasses: data.stuff)
    total = Int(
      saturating: 4 * (weights + max(recalibration, testing))
        + pictures.map { TrainingMemory.pictures($0, pixels: pixels, bytesPerPixel: 5, limit: 512 << 20) }.reduce(0, +))
  }
}

extension EvaluateCandidateStage: WorkEstimating {
  func claimedMemory(at site: EstimationSite) -> Int? {
    guard let trained = site.facts(of: "weights").network else { return nil }
    let recalibrated = parameters.recalibration.batches.multipliedSaturated(by: parameters.recalibration.batch)
    return EvaluationMemory(
      trained, input: parameters.input, batch: parameters.recalibration.batch,
      pictures: [
        min(recalibrated, site.data().training), site.facts(of: "split").validationImages ?? site.data().validation,
      ]
    ).total
  }

  func estimatedWork(at site: EstimationSite) throws -> EstimatedWork {
    guard let trained = site.facts(of: "weights").network else { return EstimatedWork() }
    let (data, recalibration) = (site.data(), parameters.recalibration)
    let validation = site.facts(of: "split").validationImages ?? 0
    let usual = parameters.input.paddedSizes.usual
    let measures = try site.machine.panoptic(
      trained.configuration, content: .supernet, data: data, picture: usual, stage: site.stage)
    let network = NetworkWork(
      trained.configuration, architectures: trained.configuration.evenArchitectures, data: data, height: usual.height,
      width: usual.width)
    let recalibrated = recalibration.batches.multipliedSaturated(by: recalibration.batch)
    var work = EstimatedWork()
    work.steps = (recalibration.batches.addingSaturated(validation), "batches and images")
    work.images = recalibrated.addingSaturated(validation)
    let (gathering, testing) = (
      Double(recalibrated) * network.backbone, Double(validation) * (network.testing + network.masks)
    )
    work.multiplyAdds = gathering + testing
    var course = WorkCourse()
    course.setup = try site.machine.indexing(data.training)
    course.images = recalibrated.addingSaturated(validation)
    let pixels = Double(usual.height) * Double(usual.width)
    course.pass =
      measures.backbone.profile(multiplyAdds: gathering, pixels: Double(recalibration.batch) * pixels)
      .followed(by: measures.testing.profile(multiplyAdds: testing, pixels: pixels))
    course.isOneByOne = true
    course.loading = try site.machine.loading(parameters.input, data: data)
    course.isLoadedAhead = false
    work.course = course
    work.memory = claimedMemory(at: site) ?? 0
    work.bytesWritten = 1000
    // The paper says it of COCO.
    if trained.configuration.backbone.stageChannels == BackboneConfiguration.search1G3.stageChannels,
      trained.data.things == DataSize.coco.things
    {
      work.paper = (8.0 / 60 * 8, "8 minutes a model on 8 V100")
    }
    return work
  }
}

extension PredictPanopticStage: WorkEstimating {
  func claimedMemory(at site: EstimationSite) -> Int? {
    site.facts(of: "weights").network.map {
      EvaluationMemory($0, input: parameters.input, batch: 1, pictures: []).total
    }
  }

  func estimatedWork(at site: EstimationSite) throws -> EstimatedWork {
    guard let trained = site.facts(of: "weights").network else { return EstimatedWork() }
    let usual = parameters.input.paddedSizes.usual
    let architectures = trained.configuration.evenArchitectures
    let measure = try site.machine.panoptic(
      trained.configuration, content: .fixed(architectures[0]), data: trained.data, picture: usual, stage: site.stage
    ).testing
    let network = NetworkWork(
      trained.configuration, architectures: architectures, data: trained.data, height: usual.height,
      width: usual.width)
    let images = site.data().validation
    var work = EstimatedWork()
    work.steps = (images, "images")
    work.images = images
    work.multiplyAdds = Double(images) * (network.testing + network.masks)
    var course = WorkCourse()
    course.setup = try site.machine.indexing(images)
    course.images = max(1, images)
    course.pass = measure.profile(
      multiplyAdds: work.multiplyAdds, pixels: Double(usual.height) * Double(usual.width))
    course.isOneByOne = true
    course.loading = try site.machine.loading(parameters.input, data: site.data())
    course.isLoadedAhead = false
    work.course = course
    work.memory = claimedMemory(at: site) ?? 0
    // A panoptic PNG of a photograph's size has some 20 kB.
    work.bytesWritten = images.multipliedSaturated(by: 20_000)
    return work
  }
}
