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
  /// Stages that may run without a sandbox where the pipeline file asks for that.
  public var unconfined: Set<String> = []
  /// Written into the journal: how the run was asked for.
  public var details = RunDetails()
  /// Written into the records: program, host and the like.
  public var environment: CanonicalValue = .object([:])

  public init() {}
}

extension RunOptions {
  /// Whether a stage's command is confined: the file may ask for more than the run does, and for less with consent.
  package func sandbox(of stage: Pipeline.StageNode) -> SandboxPolicy {
    switch stage.rules.sandbox {
    case .required: .required
    case .off where sandbox != .required && unconfined.contains(stage.name): .off
    case .automatic, .off, nil: sandbox
    }
  }

  /// - Throws: where a stage asks to run without the sandbox and nobody allowed it: a file may be somebody else's.
  package func requireConsent(to stages: [Int], of pipeline: Pipeline) throws {
    for stage in stages.map({ pipeline.stages[$0] })
    where stage.rules.sandbox == .off && sandbox != .off && !unconfined.contains(stage.name) {
      throw PipelineError(
        .badValue, at: SourceLocation(file: pipeline.file),
        "stage '\(stage.name)' asks to run without the sandbox. Look at what it does, then allow it with "
          + "--unconfined \(stage.name)")
    }
  }

  /// What an order may take that has all threads.
  package var allowance: WorkOrder.Allowance {
    WorkOrder.Allowance(threads: threads, checkpointInterval: checkpointInterval, sandbox: sandbox)
  }
}
