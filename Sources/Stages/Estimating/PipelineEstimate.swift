import Determinism
import Pipelines

/// What running a pipeline from nothing would take, told from its parameters and a short calibration.
public struct PipelineEstimate: Sendable {
  public struct Stage: Sendable {
    public var name: String
    public var kind: String
    /// Nil where results of the run decide.
    public var instances: Int?
    /// Nil for kinds that don't say (see `WorkEstimating`).
    public var work: EstimatedWork?
  }

  public let stages: [Stage]
  /// Spent on measuring this machine.
  public let calibrationSeconds: Double

  private var works: [EstimatedWork] { stages.compactMap(\.work) }
  public var seconds: Double { works.reduce(0) { $0 + ($1.seconds ?? 0) } }
  public var multiplyAdds: Double { works.reduce(0) { $0 + $1.multiplyAdds } }
  /// Of the largest stage.
  public var memory: Int { works.map(\.memory).max() ?? 0 }
  public var bytesWritten: Int { works.lazy.map(\.bytesWritten).sumSaturated() }

  /// - Throws: `DatasetError` for miniatures with parameters out of range, `PipelineError` for networks that no machine
  ///   could measure.
  public init(_ pipeline: Pipeline) throws {
    let machine = MachineMeasures()
    var facts: [String: StageFacts] = [:]
    var stages: [Stage] = []
    for summary in pipeline.summaries {
      let site = EstimationSite(
        stage: summary.name, instances: PipelineEstimate.instances(of: summary, facts),
        facts: summary.inputs.compactMapValues { facts[$0.stage] }, machine: machine)
      let work = try (summary.subject as? any WorkEstimating)?.estimatedWork(at: site)
      var found = work?.facts ?? StageFacts()
      found.data = found.data ?? site.facts(of: "data").data ?? site.facts(of: "source").data
      facts[summary.name] = found
      stages.append(Stage(name: summary.name, kind: summary.kind.name, instances: site.instances, work: work))
    }
    self.stages = stages
    calibrationSeconds = machine.seconds
  }

  private static func instances(of stage: Pipeline.StageSummary, _ facts: [String: StageFacts]) -> Int? {
    guard let array = stage.forEach else { return stage.rounds }
    return facts[array.stage]?.elements.map { $0.multipliedSaturated(by: stage.rounds) }
  }
}
