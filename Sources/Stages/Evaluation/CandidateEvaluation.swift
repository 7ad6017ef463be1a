import Autograd
import Datasets
import Determinism
import Models
import Panoptic
import Pipelines
import Search

/// The work on one candidate: batches that gather statistics, then images that are judged. Either goes to all members
/// of a team; an interrupted evaluation goes on from what was done.
struct CandidateEvaluation {
  let network: PanopticNetwork
  let architecture: Architecture
  let parameters: EvaluateCandidateStage.Parameters
  let context: StageContext
  /// Images that the statistics come from.
  let learning: PanopticDataset
  let validation: PanopticDataset

  private var batches: Int { parameters.recalibration.batches }
  private var images: Int { validation.samples.count }

  /// The matches of every validation image, in their order. Only the leader of a team has them all.
  func counts() throws -> [[PanopticQuality.CategoryCounts]] {
    network.backbone.resetStatistics()
    var progress = EvaluationProgress()
    _ = try context.latestCheckpoint { checkpoint in
      do {
        progress = try EvaluationProgress(
          fileAt: checkpoint.path, into: network.store, batches: batches, images: images,
          categories: validation.categories.count, step: checkpoint.step)
        return true
      } catch {
        context.log("the checkpoint of step \(checkpoint.step) is not used: \(error)")
        return false
      }
    }
    try recalibrate(&progress)
    try judge(&progress)
    return progress.counts
  }

  /// Gathers the statistics of this path. Only the backbone has batch norm, so nothing else runs.
  private func recalibrate(_ progress: inout EvaluationProgress) throws {
    let settings = parameters.recalibration
    let loader = try PanopticLoader(
      learning, parameters.input.loading(batch: settings.batch),
      seeds: Seeds(kind: "recalibration", seed: settings.seed))
    try inRounds(of: batches, from: progress.batches, &progress) { round, progress in
      let updates = try context.team.deal(round, forAll: true) { step in
        let pass = Pass(mode: .recalibration)
        if settings.averaging == .equal { pass.statisticsWeight = 1 / Double(step + 1) }
        _ = network.backbone(pass.constant(try loader.trainingBatch(step: step).images), path: architecture.backbone)
        return PassResultCoding.bytes(
          of: [PassResult(losses: [], statistics: pass.takeStatistics())], norms: network.store.norms)
      }
      for update in updates.flatMap({ PassResultCoding.results(from: $0, norms: network.store.norms)[0].statistics }) {
        update.apply()
      }
      progress.batches = round.upperBound
    }
  }

  private func judge(_ progress: inout EvaluationProgress) throws {
    let loader = try PanopticLoader(
      validation, parameters.input.loading(batch: 1), seeds: PanopticPredictor.unusedSeeds)
    let predictor = PanopticPredictor(
      network: network, path: architecture, categories: validation.categories, fusion: parameters.fusion.fusion)
    try inRounds(of: images, from: progress.images, &progress) { round, progress in
      let counts = try context.team.deal(round, forAll: false) { index in
        let sample = validation.samples[index]
        return PanopticQuality.CategoryCounts.wireForm(
          of: try PanopticQuality.match(
            groundTruth: PanopticSegmentation(
              map: loader.picture(index).labelImage, segments: sample.annotation.segments),
            prediction: predictor.segmentation(of: loader.evaluationBatch(samples: [index])),
            categories: validation.categories, place: sample.labelPath))
      }
      progress.counts += counts.map(PanopticQuality.CategoryCounts.list(wireForm:))
      progress.images = round.upperBound
      context.progress(step: progress.images, of: images, unit: "images")
    }
  }

  /// Calls `body` for round after round of so many pieces, and saves checkpoints between them.
  private func inRounds(
    of count: Int, from first: Int, _ progress: inout EvaluationProgress,
    _ body: (Range<Int>, inout EvaluationProgress) throws -> Void
  ) throws {
    let clock = ContinuousClock()
    let begin = clock.now
    func now() -> Double { (clock.now - begin) / .seconds(1) }
    var policy = CheckpointPolicy(interval: context.checkpointInterval, start: now())
    var next = first
    while next < count {
      let stops = try context.shouldStop()
      let time = now()
      if stops || (next > first && policy.isDue(at: time)) {
        let state = progress
        if state.step > 0 {
          try context.saveCheckpoint(step: state.step, of: batches + images) {
            try state.write(to: $0, statistics: network.store)
          }
        }
        policy.saved(from: time, to: now())
      }
      if stops { throw StageInterrupted() }
      let round = next..<min(count, next + context.team.roundLength)
      try body(round, &progress)
      next = round.upperBound
    }
  }
}
