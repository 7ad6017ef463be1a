import Determinism
import NN
import Pipelines
import TensorFiles
import Tensors

/// Training as the driver sees it: a number of steps, a state, and a way from one step to the next.
///
/// A step is a function of the state and its index alone, so that a restored state goes on as if nothing happened.
protocol TrainingProcess: AnyObject {
  var steps: Int { get }
  /// What one step is called in progress lines, such as `updates`.
  var unit: String { get }
  /// Performs step `index` and says how it went, such as `loss 1.234`.
  /// - Throws: `TrainingError` where a loss or gradient is not finite.
  func step(_ index: Int) throws -> String
  /// Everything that steps change: weights, statistics, velocities.
  var state: StateDictionary { get }
  func restore(_ state: StateDictionary) throws
}

/// Training that cannot go on.
struct TrainingError: DiagnosableError {
  let description: String
  var isUserData: Bool { false }

  /// A NaN or an infinity (numerics rule 13).
  static func notFinite(_ what: String, step: Int) -> TrainingError {
    TrainingError(
      description:
        "step \(step + 1): \(what) is not finite; training has diverged. Lower the learning rate of this stage.")
  }
}

/// Runs a process to its end: resumes from the newest checkpoint, saves checkpoints, notes digests for comparison.
struct TrainingDriver {
  let context: StageContext

  /// Digests of all tensors are noted after the first step and about this many times more; that of the whole state also
  /// after 2, 4, 8, ... steps, so that an early difference is narrowed down.
  private static let digestCount = 8

  func run(_ process: some TrainingProcess) throws {
    var done = 0
    if let checkpoint = try context.latestCheckpoint() {
      try process.restore(StateDictionary(fileAt: checkpoint.path))
      done = checkpoint.step
    }
    let stride = max(1, process.steps / TrainingDriver.digestCount)
    let clock = ContinuousClock()
    var saved = clock.now
    while done < process.steps {
      if context.isCancelled {
        try save(process, step: done)
        throw StageInterrupted()
      }
      let detail = try process.step(done)
      done += 1
      context.progress(step: done, of: process.steps, unit: process.unit, detail: detail)
      if done == 1 || done % stride == 0 || done == process.steps {
        for entry in process.state.entries {
          context.recordDigest(step: done, name: entry.name, digest: TensorDigest.of(NamedTensor(entry.tensor)))
        }
      } else if done.nonzeroBitCount == 1 {
        let tensors = process.state.entries.map { (name: $0.name, tensor: NamedTensor($0.tensor)) }
        context.recordDigest(step: done, name: "state", digest: TensorDigest.of(tensors: tensors))
      }
      if done < process.steps, clock.now - saved >= .seconds(context.checkpointInterval) {
        try save(process, step: done)
        saved = clock.now
      }
    }
  }

  private func save(_ process: some TrainingProcess, step: Int) throws {
    guard step > 0 else { return }
    try context.saveCheckpoint(step: step, of: process.steps) { try process.state.write(to: $0) }
  }
}
