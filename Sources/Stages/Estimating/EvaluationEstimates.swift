import Determinism
import Models

extension EvaluateCandidateStage: WorkEstimating {
  func estimatedWork(at site: EstimationSite) throws -> EstimatedWork {
    guard let trained = site.facts(of: "weights").network else { return EstimatedWork() }
    let (data, recalibration) = (site.data(), parameters.recalibration)
    let validation = site.facts(of: "split").validationImages ?? 0
    let (usual, largest) = parameters.input.paddedSizes
    let measures = try site.machine.panoptic(
      trained.configuration, content: .supernet, data: data, picture: usual, stage: site.stage)
    let network = NetworkWork(
      trained.configuration, architectures: trained.configuration.evenArchitectures, data: data, height: usual.height,
      width: usual.width)
    let count = site.instances ?? 1
    let recalibrated = recalibration.batches.multipliedSaturated(by: recalibration.batch)
    let passes = (
      Double(recalibrated) * network.backbone, Double(validation) * (network.testing + network.masks)
    )
    var work = EstimatedWork()
    work.steps = (recalibration.batches.addingSaturated(validation), "batches and images")
    work.images = recalibrated.addingSaturated(validation).multipliedSaturated(by: count)
    work.multiplyAdds = Double(count) * (passes.0 + passes.1)
    work.seconds = Double(count) * (passes.0 / measures.backbone.rate + passes.1 / measures.testing.rate)
    // Results of a backbone in recalibration live for one layer; twice the largest stage is plenty.
    work.memory = [
      4 * measures.testing.parameters,
      [4 * 3 * 16, recalibration.batch, largest.height, largest.width].productSaturated(),
    ].sumSaturated()
    work.bytesWritten = 1000.multipliedSaturated(by: count)
    // The paper says it of COCO.
    if trained.configuration.backbone.stageChannels == BackboneConfiguration.search1G3.stageChannels,
      trained.data.things == DataSize.coco.things
    {
      work.paper = (8.0 / 60 * 8 * Double(count), "8 minutes a model on 8 V100")
    }
    return work
  }
}

extension PredictPanopticStage: WorkEstimating {
  func estimatedWork(at site: EstimationSite) throws -> EstimatedWork {
    guard let trained = site.facts(of: "weights").network else { return EstimatedWork() }
    let (usual, largest) = parameters.input.paddedSizes
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
    work.seconds = work.multiplyAdds / measure.rate
    work.memory = [
      4 * measure.parameters, [4 * 512, largest.height, largest.width].productSaturated(),
    ].sumSaturated()
    // A panoptic PNG of a photograph's size has some 20 kB.
    work.bytesWritten = images.multipliedSaturated(by: 20_000)
    return work
  }
}
