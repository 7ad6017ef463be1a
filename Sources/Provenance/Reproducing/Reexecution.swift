import ArtifactStore
import Determinism
import PipelineModel
import PipelineRunner

/// Executes what a store has records of again, without the pipeline that asked for it: to compare (`recompute`) or to
/// restore (`repair`).
public struct Reexecution {
  let store: Store
  let variables: [String: String]
  let options: RunOptions
  let interruption: Interruption
  /// Nil for this process, one stage after the other with all threads.
  let executor: (any Executor)?
  let observer: @Sendable (RunEvent) -> Void

  /// - Parameter variables: with the folders of sources.
  public init(
    store: Store, variables: [String: String], options: RunOptions, interruption: Interruption = Interruption(),
    executor: (any Executor)? = nil, observer: @escaping @Sendable (RunEvent) -> Void = { _ in }
  ) {
    self.store = store
    self.variables = variables
    self.options = options
    self.interruption = interruption
    self.executor = executor
    self.observer = observer
  }
}
