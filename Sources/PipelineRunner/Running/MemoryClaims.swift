import ArtifactStore
import Determinism
import PipelineModel
import Synchronization

/// What instances of stages are expected to take of a machine's memory, asked only where something has to be executed.
final class MemoryClaims: Sendable {
  private let pipeline: Pipeline
  private let registry: StageRegistry
  /// By the threads of an instance.
  private let known = Mutex<[Int: [String: Int]]>([:])

  init(_ pipeline: Pipeline, _ registry: StageRegistry) {
    self.pipeline = pipeline
    self.registry = registry
  }

  /// Bytes of an instance of a stage; nil for a kind that does not say.
  func bytes(of stage: String, threads: Int) -> Int? {
    known.withLock { known in
      let claims = known[threads] ?? registry.claimedMemory(pipeline, threads)
      known[threads] = claims
      return claims[stage]
    }
  }

  /// Of the program itself, in bytes.
  private static let program = 256 << 20

  /// What to ask a cluster for, for a stage that does not say: what is expected, and twice of it for another attempt.
  func ladder(of stage: String, threads: Int) -> [Int] {
    guard let claim = bytes(of: stage, threads: threads) else { return [] }
    let first = claim.addingSaturated(MemoryClaims.program)
    return [first, first.multipliedSaturated(by: 2)]
  }
}
