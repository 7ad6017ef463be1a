import Determinism
import PipelineModel

/// What the executor asks of a cluster. Slurm's commands are one; tests have another without processes.
package protocol Cluster: Sendable {
  /// Elements of an array at most.
  func arrayLimit() -> Int
  /// Submits a script.
  /// - Returns: nil where it was taken; else the cluster's words, after which it may have been taken all the same.
  func submit(script: String) throws -> String?
  /// The jobs of a store.
  /// - Returns: no queue where the cluster does not answer, as when its controller restarts; with its words.
  func queue(of store: String) throws -> (queue: Queue?, complaint: String)
  func cancel(_ jobs: [String])
  /// Whether a job ended as those do that take too much memory.
  func lackedMemory(_ job: String) -> Bool
  /// Waits before asking again.
  func pause(seconds: Double)
}
