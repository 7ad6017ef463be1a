import Determinism
import Pipelines

/// What running a pipeline from nothing would take, told from its parameters and a short calibration.
public struct PipelineEstimate: Sendable {
  public struct Stage: Sendable {
    public var name: String
    public var kind: String
    /// Nil where results of the run decide; then one is counted.
    public var instances: Int?
    /// Of all instances. Nil for kinds that don't say (see `WorkEstimating`).
    public var work: EstimatedWork?
    /// On this machine. Nil for stages that compute no network.
    public var seconds: Double?
  }

  public let stages: [Stage]
  /// Spent on measuring this machine.
  public let calibrationSeconds: Double
  private let pipeline: Pipeline

  private var works: [EstimatedWork] { stages.compactMap(\.work) }
  public var seconds: Double { stages.reduce(0) { $0 + ($1.seconds ?? 0) } }
  public var multiplyAdds: Double { works.reduce(0) { $0 + $1.multiplyAdds } }
  /// Of the largest stage.
  public var memory: Int { works.map(\.memory).max() ?? 0 }
  public var bytesWritten: Int { works.lazy.map(\.bytesWritten).sumSaturated() }
  /// Of the largest training, which keeps two of them while it runs.
  public var checkpointBytes: Int { works.map(\.checkpointBytes).max() ?? 0 }

  /// - Throws: `DatasetError` for miniatures with parameters out of range, `PipelineError` for networks that no machine
  ///   could measure.
  public init(_ pipeline: Pipeline) throws {
    let machine = MachineMeasures()
    let threads = Parallel.threads
    let here = PlannedMachines(nodes: 1, processors: threads, bandwidth: .infinity, jobs: min(8, threads))
    stages = try PipelineSites(pipeline.summaries, threads: threads, machine: machine).places.map { place in
      let work = try place.subject?.estimatedWork(at: place.site).times(place.site.instances ?? 1)
      return Stage(
        name: place.summary.name, kind: place.summary.kind.name, instances: place.site.instances, work: work,
        seconds: work?.seconds ?? work?.course?.time(on: here).seconds)
    }
    calibrationSeconds = machine.seconds
    self.pipeline = pipeline
  }

  /// What the pipeline would take on other machines.
  public func plan(on machines: PlannedMachines) -> MachinePlan {
    MachinePlan(
      machines: machines,
      stages: stages.map { stage in
        let course = stage.work?.course
        let time = course?.time(on: machines)
        // As many passes compute at a time as a node has of its own.
        let threads = course.map { min(machines.processors, $0.passesOfAWorker(on: machines)) } ?? 1
        let claim = PipelineSites.claimedMemory(pipeline.summaries, threads: threads)[stage.name] ?? 0
        let sideBySide = min(stage.instances ?? 1, machines.jobs, machines.processors)
        return MachinePlan.Stage(
          name: stage.name, seconds: time?.seconds ?? stage.work?.seconds ?? 0, nodes: time?.nodes ?? 1,
          memory: claim.multipliedSaturated(by: sideBySide))
      })
  }
}

/// What a pipeline would take on some machines, one stage after the other.
public struct MachinePlan: Sendable {
  public struct Stage: Sendable {
    public let name: String
    public let seconds: Double
    /// That it uses.
    public let nodes: Int
    /// Bytes of a node, about.
    public let memory: Int
  }

  public let machines: PlannedMachines
  public let stages: [Stage]

  public var seconds: Double { stages.map(\.seconds).reduce(0, +) }
  /// Of the nodes that each stage uses.
  public var coreHours: Double {
    stages.map { $0.seconds * Double($0.nodes) }.reduce(0, +) * Double(machines.processors) / 3600
  }
  /// Bytes of a node, of the largest stage.
  public var memory: Int { stages.map(\.memory).max() ?? 0 }
}
