import Determinism
import PipelineFiles
import Testing

@testable import Pipelines
@testable import Stages

/// A stage that says what it takes.
private struct FixtureStage: Stage, WorkEstimating {
  struct Parameters: StageParameters {
    var images = 7
    init() {}
  }

  static let name = "fixture"
  static let version = 1
  static let inputs = [InputPort("data", "tree")]
  static let outputs = [OutputPort("result", "json")]
  let parameters: Parameters

  func run(in context: StageContext) throws {}

  func estimatedWork(at site: EstimationSite) -> EstimatedWork {
    var work = EstimatedWork()
    work.images = parameters.images.multipliedSaturated(by: site.data().training)
    work.seconds = 2
    return work
  }
}

/// A stage that does not.
private struct SilentStage: Stage {
  static let name = "silent"
  static let version = 1
  static let outputs = [OutputPort("result", "json")]
  init(parameters: NoParameters) {}
  func run(in context: StageContext) throws {}
}

@Suite("Estimates of kinds that a program adds")
struct EstimateTests {
  @Test("a stage says what it takes, of the data it gets; one that says nothing is not estimated")
  func added() throws {
    let usual = Stages.registry()
    let registry = StageRegistry(
      kinds: usual.kinds.values.filter { !["command", "files"].contains($0.name) } + [
        StageKind(FixtureStage.self), StageKind(SilentStage.self),
      ], formats: [TensorsFormat()], traits: usual.traits)
    let text = """
      pipeline: estimate
      stages:
        coco: { uses: coco-miniature, with: { scenes: { width: 64, height: 64, train-count: 8, validation-count: 2 } } }
        mine: { uses: fixture, needs: { data: coco.data }, with: { images: 3 } }
        other: { uses: silent }
      """
    let file = try PipelineFile(text: text, path: "estimate.yaml")
    let estimate = try PipelineEstimate(Pipeline(file.description(), registry: registry))
    let (coco, mine, other) = (estimate.stages[0], estimate.stages[1], estimate.stages[2])
    #expect(coco.name == "coco" && coco.work != nil && coco.work?.seconds == nil)
    #expect(mine.work?.images == 24 && mine.work?.seconds == 2 && mine.instances == 1)
    #expect(other.work == nil)
    #expect(estimate.seconds == 2 && estimate.calibrationSeconds == 0)
  }

  @Test("every kind of the program but commands, files and folders says what it takes")
  func all() throws {
    for kind in Stages.registry().kinds.values where !["command", "file", "files", "folder"].contains(kind.name) {
      let stage = try kind.restore(kind.defaults).subject
      #expect(stage is any WorkEstimating, "\(kind.name)")
    }
  }
}
