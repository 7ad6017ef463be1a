import ArtifactStore
import Determinism
import PipelineModel

/// How a run goes about its work. Nothing here may change a result.
public struct RunOptions: Sendable {
  /// Maximum number of instances at once.
  public var jobs = 1
  /// Threads of all instances together.
  public var threads = 1
  /// Bytes that instances side by side may claim together; nil for no limit.
  public var memory: Int?
  /// Whether stages that do not depend on a failed one still run.
  public var keepGoing = false
  /// Seconds between the checkpoints of a stage; 0 saves one after every step, nil as often as it costs little.
  public var checkpointInterval: Double?
  /// Whether commands run in a sandbox.
  public var sandbox = SandboxPolicy.automatic
  /// Written into the journal: how the run was asked for.
  public var details = RunDetails()
  /// Written into the records: program, host and the like.
  public var environment: CanonicalValue = .object([:])

  public init() {}
}

extension RunOptions {
  /// What an order may take that has all threads.
  package var allowance: WorkOrder.Allowance {
    WorkOrder.Allowance(threads: threads, checkpointInterval: checkpointInterval, sandbox: sandbox)
  }
}
