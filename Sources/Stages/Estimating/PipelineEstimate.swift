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
    stages = try PipelineSites(pipeline, threads: Parallel.threads, machine: machine).places.map { place in
      Stage(
        name: place.summary.name, kind: place.summary.kind.name, instances: place.site.instances,
        work: try place.subject?.estimatedWork(at: place.site))
    }
    calibrationSeconds = machine.seconds
  }
}
