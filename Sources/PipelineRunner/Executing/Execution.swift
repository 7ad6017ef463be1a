import ArtifactStore
import Determinism
import Foundation
import PipelineModel

/// Executes one work order on the calling thread.
package struct Execution: Sendable {
  let order: WorkOrder
  package let node: Pipeline.StageNode
  /// The programs that the stage starts, and their environment.
  let tools: ToolIdentity
  /// Folders of the sources that the order names, by the digests of their trees.
  let sources: [Digest: SourceTree]
  let store: Store
  let interruption: Interruption
  let observer: @Sendable (RunEvent) -> Void
  /// Threads of its loops; nil for as many as the order says.
  var share: ThreadShares.Share?
  /// Whether it waits where another runner works on the key.
  var waitsForOthers = true

  /// Executes the instance and publishes what it wrote, under the lock of its key.
  /// - Parameters:
  ///   - call: of a team that this process leads.
  ///   - cached: looks whether the result is in the store by now.
  ///   - computed: called when all that remains is to bring the result to the disk.
  /// - Returns: `taken` where another runner works on it, and that is not waited for.
  package func perform(
    with call: TeamCall? = nil, cached: () throws -> [String: Artifact]?, computed: () -> Void = {}
  ) throws -> WorkOutcome {
    while true {
      guard let lock = try takeLock() else { return .taken }
      do {
        return try withExtendedLifetime(lock) {
          try perform(under: lock, with: call, cached: cached, computed: computed)
        }
      } catch {
        // Whatever came of it, somebody else computes the same now. A runner waits for that; a worker has nothing to do.
        guard !(error is StageInterrupted), lock.isLost else { throw error }
        if store.isWorker { try lock.confirm(for: order.stage) }
        observer(
          .notice("'\(order.stage)': stopped here, since another machine has taken it over: it saw no sign of life"))
      }
    }
  }

  private func perform(
    under lock: KeyLock, with call: TeamCall?, cached: () throws -> [String: Artifact]?, computed: () -> Void
  ) throws -> WorkOutcome {
    if let outputs = try cached() { return .found(outputs) }
    if let observed = order.observed { return try recordSource(observed) }

    let checkpoints = CheckpointFolder(
      path: store.checkpointPath(order.key), key: order.key, nonce: lock.nonce,
      confirm: { [stage = order.stage] in try lock.confirm(for: stage) },
      warn: { [observer, stage = order.stage] in
        observer(.log(stage: stage, text: $0))
        observer(.notice("'\(stage)': \($0)"))
      })
    defer { checkpoints.leave() }
    let known = try store.outputs(of: order.key)
    let outcome = try execute(checkpoints: checkpoints, call: call) { result in
      let outputs = result.written.mapValues(\.artifact)
      if let known { try refuseDifference(known, outputs) }
      try lock.confirm(for: order.stage)
      computed()
      try store.commit(
        result.written.sorted { $0.key < $1.key }.map(\.value) + result.elements,
        record: known != nil ? nil : record(outputs: outputs, result), scratch: result.scratch)
      return WorkOutcome.executed(outputs, seconds: result.seconds)
    }
    try checkpoints.remove()
    try removeTree(store.resumePath(order.key))
    try removeTree(store.failurePath(order.key))
    return outcome
  }

  /// Executes the instance from its beginning and compares the result with the record, which stays as it is.
  package func rehearse(record: Record, with call: TeamCall? = nil) throws -> RerunReport.InstanceReport {
    try execute(checkpoints: nil, call: call) { result in
      let changed = try result.written.sorted { $0.key < $1.key }.compactMap { name, item -> RerunReport.Change? in
        guard let recorded = record.outputs[name], recorded.digest != item.artifact.digest else { return nil }
        return RerunReport.Change(
          output: name, recorded: recorded, found: item.artifact,
          differences: try differences(from: recorded, to: item.path))
      }
      return RerunReport.InstanceReport(
        name: order.stage, key: order.key, outputs: record.outputs,
        parting: record.trace.firstDifference(to: result.trace), changes: changed, seconds: result.seconds)
    }
  }

  /// What differs between a recorded artifact, where it is still there, and a file that was just written.
  private func differences(from recorded: Artifact, to path: String) throws -> [ArtifactDifference] {
    guard store.hasObject(recorded) else { return [] }
    try store.verify(recorded)
    return try store.registry.format(recorded.kind)
      .differences(between: store.objectPath(recorded), and: path, limit: RerunReport.Change.limit)
  }

  /// - Returns: nil where another runner has the lock and is not waited for.
  private func takeLock() throws -> KeyLock? {
    var waited = false
    while true {
      if let lock = try store.acquireLock(order.key) { return lock }
      if !waitsForOthers { return nil }
      if interruption.isRequested { throw StageInterrupted() }
      if !waited { observer(.waiting(stage: order.stage, key: order.key)) }
      waited = true
      Thread.sleep(forTimeInterval: 0.1)
    }
  }

  /// The results of an execution before they are in the store.
  struct Result {
    /// By output.
    let written: [String: Store.Written]
    /// Elements of an array that were inputs: they become objects of their own.
    let elements: [Store.Written]
    let trace: Trace
    /// What the stage noted about its surroundings.
    let facts: [String: CanonicalValue]
    let started: String
    let seconds: Double
    /// The folder of all of it, until `then` returns.
    let scratch: String
  }

  /// Takes part in the execution that another process leads: runs the stage and drops what it leaves.
  func assist(_ team: any Team) throws {
    let scratch = try store.makeScratch()
    defer { store.recycleScratch(scratch) }
    let (inputs, _) = try loadInputs(element: writeElement(scratch))
    let context = context(inputs: inputs, scratch: scratch, checkpoints: nil, team: team)
    try Parallel.withThreads(order.allowance.threads) {
      try runStage(in: context)
      try refuseChangedSources()
      try team.meet()
    }
  }

  /// Starts a shell where the stage's program would run.
  package func enter(words: [String]) throws -> Int32 {
    guard let tools = node.prepared.tools else {
      throw PipelineError(
        .badReference, "'\(order.stage)' starts no program: it is a '\(node.kind.name)', computed by this one")
    }
    let scratch = try store.makeScratch()
    defer { try? Files.remove(scratch) }
    let (inputs, _) = try loadInputs(element: writeElement(scratch))
    var details = details(isKept: true)
    details.checkpointFolder = nil
    let context = context(inputs: inputs, scratch: scratch, checkpoints: nil, team: SoloTeam(), details: details)
    return try tools.enter(context, words: words)
  }

  private func runStage(in context: StageContext) throws {
    guard case .stage(let body) = node.prepared.body else {
      preconditionFailure("\(order.stage): a source is not executed")
    }
    do {
      try body(context)
    } catch let error as CocoaError where error.code == .fileWriteOutOfSpace {
      // A stage that writes by other means than ours has the same disk.
      throw Files.failure("write", error.filePath ?? error.url?.path ?? context.scratch, ENOSPC)
    }
  }

  private func execute<R>(
    checkpoints: CheckpointFolder?, call: TeamCall? = nil, then finish: (Result) throws -> R
  ) throws -> R {
    let scratch = try store.makeScratch()
    // A folder that a program without a sandbox could write to is not used again.
    let isReusable = try node.prepared.tools?.isConfined(under: order.allowance.sandbox) ?? true
    defer { if isReusable { store.recycleScratch(scratch) } else { try? Files.remove(scratch) } }
    let element = try writeElement(scratch)
    let (inputs, fingerprints) = try loadInputs(element: element)
    let team = node.kind.usesTeam ? call?.team ?? SoloTeam() : SoloTeam()
    let context = context(inputs: inputs, scratch: scratch, checkpoints: checkpoints, team: team)
    observer(.started(stage: order.stage, key: order.key, threads: order.allowance.threads))
    let started = Timestamp.now()
    let clock = ContinuousClock()
    let begin = clock.now
    if team.size > 1 { try call?.make() }
    return try withThreads {
      try runStage(in: context)
      try team.meet()
      try refuseChangedSources()
      try refuseChangedObjects(fingerprints)
      let (files, trace) = try context.finish()
      let written = try identify(files)
      return try finish(
        Result(
          written: written, elements: element.map { [$0] } ?? [], trace: trace, facts: context.facts,
          started: started, seconds: (clock.now - begin) / .seconds(1), scratch: scratch))
    }
  }

  private func withThreads<R>(_ body: () throws -> R) rethrows -> R {
    guard let share else { return try Parallel.withThreads(order.allowance.threads, body) }
    return try Parallel.withThreads(of: share, body)
  }

  private func context(
    inputs: [String: [InputArtifact]], scratch: String, checkpoints: CheckpointFolder?, team: any Team,
    details: StageContext.Details? = nil
  ) -> StageContext {
    StageContext(
      kind: node.kind, seed: node.seed, threads: order.allowance.threads, inputs: inputs, scratch: scratch,
      checkpoints: checkpoints,
      checkpointInterval: order.allowance.checkpointInterval, interruption: interruption,
      details: details ?? self.details(isKept: checkpoints != nil), team: team
    ) { [observer, name = order.stage] report in
      switch report {
      case .progress(let step, let total, let unit, let detail):
        observer(.progress(stage: name, step: step, of: total, unit: unit, detail: detail))
      case .printed(let line): observer(.printed(stage: name, line: line))
      case .measured(let step, let unit, let values):
        observer(.measured(stage: name, step: step, unit: unit, values: values))
      case .checkpoint(let step, let total): observer(.checkpoint(stage: name, step: step, of: total))
      case .resumed(let step): observer(.resumed(stage: name, step: step))
      case .log(let text): observer(.log(stage: name, text: text))
      case .notice(let text):
        observer(.log(stage: name, text: text))
        observer(.notice("\(name): \(text)"))
      }
    }
  }

  private func details(isKept: Bool) -> StageContext.Details {
    var details = StageContext.Details(
      stageName: order.stage, seed: node.seed, storePath: store.path,
      log: order.run.isEmpty ? nil : Journal.logPath(store: store, run: order.run, stage: order.stage),
      sandbox: order.allowance.sandbox, tools: tools, rules: order.rules,
      fileExtensions: store.registry.formats.mapValues { type(of: $0).outsideExtension })
    details.usesGraphicsProcessors = (order.resources.gpus ?? 0) > 0
    if isKept {
      details.keptFolder = store.failurePath(order.key)
      if order.rules.resume { details.checkpointFolder = store.resumePath(order.key) }
    }
    return details
  }

  /// Takes the digests of the outputs.
  private func identify(_ files: [String: StageContext.WrittenFile]) throws -> [String: Store.Written] {
    var written = [String: Store.Written]()
    for port in node.kind.outputs {
      let output = try store.identify(files[port.name]!, kind: port.kind)
      if let folder = output.emptyFolders.last {
        observer(
          .notice(
            "'\(order.stage)': empty folders of its output '\(port.name)' are not kept: \(output.emptyFolders.count), "
              + "such as '\(folder)'"))
      }
      written[port.name] = output
    }
    return written
  }

  private func refuseDifference(_ recorded: [String: Artifact], _ now: [String: Artifact]) throws {
    for (name, artifact) in now.sorted(by: { $0.key < $1.key }) {
      if let before = recorded[name], before.digest != artifact.digest {
        throw PipelineError(
          .notReproduced,
          "'\(order.stage)' does not reproduce: its output '\(name)' is \(artifact.digest.short), its record "
            + "\(order.key.short) says \(before.digest.short). Nothing was stored")
      }
    }
  }

  func record(outputs: [String: Artifact], _ result: Result) -> Record {
    var environment = order.environment.objectValue ?? [:]
    environment.merge(result.facts) { _, fact in fact }
    environment["environment"] = order.place?.canonical
    if order.rules != ExecutionRules() { environment["rules"] = order.rules.canonical }
    var elements = [String: Record.Element]()
    if let element = order.element {
      for port in element.ports { elements[port] = element.origin }
    }
    return Record(
      identity: order.identity, pipeline: order.pipeline, stage: order.stage, outputs: outputs,
      sizes: result.written.mapValues(\.size), checksums: result.written.mapValues(\.checksum), elements: elements,
      trace: result.trace,
      environment: .object(environment), run: order.run, started: result.started, seconds: result.seconds)
  }
}
