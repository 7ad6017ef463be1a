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
  /// Names of the metrics that steps give, in their order.
  var metricNames: [String] { get }
  /// Performs step `index` and says how it went.
  /// - Throws: `StageError` where a loss or gradient is not finite.
  func step(_ index: Int) throws -> StepMetrics
  /// Everything that steps change: weights, statistics, velocities.
  var state: StateDictionary { get }
  /// Goes on from a state, or leaves everything as it is.
  /// - Throws: `StateError` for a state of something else.
  func restore(_ state: StateDictionary) throws
}

extension StageError {
  /// A NaN or an infinity (numerics 13).
  static func notFinite(_ what: String, step: Int) -> StageError {
    StageError(
      .diverged,
      "step \(step + 1): \(what) is not finite; training has diverged. Lower the learning rate of this stage.")
  }
}

/// Runs a process to its end: resumes from the newest checkpoint, saves checkpoints, notes digests for comparison, and
/// writes the output `history`.
struct TrainingDriver {
  let context: StageContext
  /// Of what is trained, from what, how and by which seeds: a state of anything else is none of this training's.
  let identity: Digest

  /// - Precondition: no input of the stage is a list.
  init<S: Stage>(of stage: S.Type, _ parameters: S.Parameters, in context: StageContext) throws {
    self.context = context
    let inputs = S.inputs.map { port -> CanonicalValue in
      [.string(port.name), context.optionalInput(port.name).map { .string($0.digest.hex) } ?? .null]
    }
    let facts: CanonicalValue = [
      "kind": .string(S.name), "version": .integer(S.version), "seed": .string(String(context.seeds.seed)),
      "parameters": try CanonicalValue(encoding: parameters), "inputs": .array(inputs),
    ]
    identity = facts.digest
  }

  /// Digests of all tensors are noted after the first step and about this many times more; that of the whole state also
  /// after 2, 4, 8, ... steps, so that an early difference is narrowed down.
  private static let digestCount = 8

  func run(_ process: some TrainingProcess) throws {
    var done = 0
    var history = TrainingHistory(steps: process.steps, unit: process.unit, names: process.metricNames)
    let checkpoint = try context.latestCheckpoint { checkpoint in
      do {
        let file = try file(of: checkpoint, steps: process.steps)
        var found = history
        try found.restore(file[TrainingHistory.tensorName], done: checkpoint.step)
        let state = StateDictionary(file).entries.filter { !$0.name.hasSameBytes(as: TrainingHistory.tensorName) }
        try process.restore(StateDictionary(state))
        history = found
        return true
      } catch {
        context.log("the checkpoint of step \(checkpoint.step) is not used: \(error)")
        return false
      }
    }
    if let checkpoint { done = checkpoint.step }
    let stride = max(1, process.steps / TrainingDriver.digestCount)
    let clock = ContinuousClock()
    let begin = clock.now
    func now() -> Double { (clock.now - begin) / .seconds(1) }
    var policy = CheckpointPolicy(interval: context.checkpointInterval, start: now())
    var savedStep = done
    while done < process.steps {
      let stops = try context.shouldStop()
      let time = now()
      if stops || (done > savedStep && policy.isDue(at: time)) {
        try save(process, history, step: done)
        savedStep = done
        policy.saved(from: time, to: now())
      }
      if stops { throw StageInterrupted() }
      let metrics = try process.step(done)
      done += 1
      context.progress(step: done, of: process.steps, unit: process.unit, detail: metrics.text)
      if history.add(metrics) {
        context.log(history.lastRowText)
        context.measured(step: done, unit: process.unit, history.lastRow)
      }
      if done == 1 || done % stride == 0 || done == process.steps {
        try noteDigests(of: process.state, step: done)
      } else if done.nonzeroBitCount == 1 {
        let tensors = process.state.entries.map { (name: $0.name, tensor: NamedTensor($0.tensor)) }
        context.recordDigest(step: done, name: "state", digest: TensorDigest.of(tensors: tensors))
      }
    }
    try context.write("history", json: history.report.canonical)
  }

  /// Notes the digests of all tensors, which must be the same everywhere: a member whose machine computes otherwise
  /// would make a result that nobody can reproduce.
  private func noteDigests(of state: StateDictionary, step: Int) throws {
    var all = [UInt8]()
    for entry in state.entries {
      let digest = TensorDigest.of(NamedTensor(entry.tensor))
      context.recordDigest(step: step, name: entry.name, digest: digest)
      all += digest.bytes
    }
    let digests = try context.team.gather(Digest(of: all).bytes)
    if let other = digests.indices.first(where: { digests[$0] != digests[0] }) {
      throw StageError(
        .workersDiffer,
        "after step \(step) worker \(other + 1) holds other numbers than worker 1: its machine computes otherwise. Its "
          + "result would not be reproducible; 'doctor' on each machine tells which one is at fault")
    }
  }

  private func save(_ process: some TrainingProcess, _ history: TrainingHistory, step: Int) throws {
    guard step > 0 else { return }
    try context.saveCheckpoint(step: step, of: process.steps) { path in
      let state = process.state.entries.map { ($0.name, NamedTensor($0.tensor)) }
      try TensorFile(tensors: state + [history.tensor], attributes: attributes(step: step)).write(to: path)
    }
  }

  /// What a state's file says of itself.
  private func attributes(step: Int) -> [String: CanonicalValue] {
    ["training": .string(identity.hex), "step": .integer(step)]
  }

  /// The file of a checkpoint, with state and history. What stands around a file may be mistaken or forged, so the
  /// file says itself what it is of.
  /// - Throws: where it is of another step or training.
  private func file(of checkpoint: Checkpoint, steps: Int) throws -> TensorFile {
    let file = try TensorFile.read(checkpoint.path)
    guard file.attributes == attributes(step: checkpoint.step), (1...max(1, steps)).contains(checkpoint.step) else {
      throw StateError(description: "\(checkpoint.path): a state of another step or another training")
    }
    return file
  }
}
