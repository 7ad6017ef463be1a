import ArtifactStore
import Determinism
import Foundation
import PipelineModel

/// Executes one work order on the calling thread.
package struct Execution: Sendable {
  let order: WorkOrder
  package let node: Pipeline.StageNode
  /// The programs that the stage starts, by name.
  let tools: [String: Tool]
  /// Folders of the sources that the order names, by the digests of their trees.
  let sources: [Digest: SourceTree]
  let store: Store
  let interruption: Interruption
  let observer: @Sendable (RunEvent) -> Void

  /// Executes the instance and publishes what it wrote, under the lock of its key.
  /// - Parameters:
  ///   - cached: looks whether the result is in the store by now.
  ///   - computed: called when all that remains is to bring the result to the disk.
  package func perform(cached: () throws -> [String: Artifact]?, computed: () -> Void = {}) throws -> WorkOutcome {
    let lock = try waitForLock()
    defer { withExtendedLifetime(lock) {} }
    if let outputs = try cached() { return .found(outputs) }
    if let observed = order.observed { return try recordSource(observed) }

    let checkpoints = CheckpointFolder(path: store.checkpointPath(order.key), key: order.key) {
      [observer, stage = order.stage] in
      observer(.log(stage: stage, text: $0))
      observer(.notice("'\(stage)': \($0)"))
    }
    let known = try store.outputs(of: order.key)
    let outcome = try execute(checkpoints: checkpoints) { result in
      let outputs = result.written.mapValues(\.artifact)
      if let known { try refuseDifference(known, outputs) }
      computed()
      try store.commit(
        result.written.sorted { $0.key < $1.key }.map(\.value) + result.elements,
        record: known != nil ? nil : record(outputs: outputs, result), scratch: result.scratch)
      return WorkOutcome.executed(outputs, seconds: result.seconds)
    }
    try checkpoints.remove()
    return outcome
  }

  /// Executes the instance from its beginning and compares the result with the record, which stays as it is.
  package func rehearse(record: Record) throws -> RerunReport.InstanceReport {
    try execute(checkpoints: nil) { result in
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

  private func waitForLock() throws -> KeyLock {
    var waited = false
    while true {
      if let lock = try store.acquireLock(order.key) { return lock }
      if interruption.isRequested { throw StageInterrupted() }
      if !waited { observer(.waiting(stage: order.stage, key: order.key)) }
      waited = true
      Thread.sleep(forTimeInterval: 0.1)
    }
  }

  /// What an execution left, before it is in the store.
  private struct Result {
    /// By output.
    let written: [String: Store.Written]
    /// Elements of an array that were inputs: they become objects of their own.
    let elements: [Store.Written]
    let trace: Trace
    /// What the stage noted about its surroundings.
    let facts: [String: CanonicalValue]
    let started: String
    let seconds: Double
    /// Where it all lies, until `then` returns.
    let scratch: String
  }

  private func execute<R>(checkpoints: CheckpointFolder?, then finish: (Result) throws -> R) throws -> R {
    guard case .stage(let body) = node.prepared.body else {
      preconditionFailure("\(order.stage): a source is not executed")
    }
    let scratch = try store.makeScratch()
    // A folder that a program without a sandbox could write to is not used again.
    let isReusable = try node.prepared.tools?.isConfined(under: order.resources.sandbox) ?? true
    defer { if isReusable { store.recycleScratch(scratch) } else { try? Files.remove(scratch) } }
    let element = try writeElement(scratch)
    let (inputs, fingerprints) = try loadInputs(element: element)
    let context = StageContext(
      kind: node.kind, seed: node.seed, threads: order.resources.threads, inputs: inputs, scratch: scratch,
      checkpoints: checkpoints,
      checkpointInterval: order.resources.checkpointInterval, interruption: interruption,
      details: StageContext.Details(
        stageName: order.stage, seed: node.seed, storePath: store.path,
        log: order.run.isEmpty ? nil : Journal.logPath(store: store, run: order.run, stage: order.stage),
        sandbox: order.resources.sandbox, tools: tools,
        fileExtensions: store.registry.formats.mapValues { type(of: $0).fileExtension })
    ) { [observer, name = order.stage] report in
      switch report {
      case .progress(let step, let total, let unit, let detail):
        observer(.progress(stage: name, step: step, of: total, unit: unit, detail: detail))
      case .checkpoint(let step, let total): observer(.checkpoint(stage: name, step: step, of: total))
      case .resumed(let step): observer(.resumed(stage: name, step: step))
      case .log(let text): observer(.log(stage: name, text: text))
      case .notice(let text):
        observer(.log(stage: name, text: text))
        observer(.notice("\(name): \(text)"))
      }
    }
    observer(.started(stage: order.stage, key: order.key, threads: order.resources.threads))
    let started = Timestamp.now()
    let clock = ContinuousClock()
    let begin = clock.now
    return try Parallel.withThreads(order.resources.threads) {
      do {
        try body(context)
      } catch let error as CocoaError where error.code == .fileWriteOutOfSpace {
        // A stage that writes by other means than ours has the same disk.
        throw Files.failure("write", error.filePath ?? error.url?.path ?? scratch, ENOSPC)
      }
      try refuseChangedSources()
      try refuseChangedObjects(fingerprints)
      let (files, trace) = try context.finish()
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
      return try finish(
        Result(
          written: written, elements: element.map { [$0] } ?? [], trace: trace, facts: context.facts,
          started: started, seconds: (clock.now - begin) / .seconds(1), scratch: scratch))
    }
  }

  /// Writes the element of an array that is an input, so that every input is a file of its digest.
  private func writeElement(_ scratch: String) throws -> Store.Written? {
    guard let element = order.element, !element.ports.isEmpty else { return nil }
    guard case .file = element.value else { return try store.write(element.value, from: "", to: scratch + "/each") }
    if store.hasObject(element.value.artifact), try store.damage(of: element.value.artifact) == nil { return nil }
    return try store.write(element.value, from: folder(of: element.origin), to: scratch + "/each")
  }

  /// Verifies the inputs and says where they lie, and what the system says of those in the store.
  private func loadInputs(
    element: Store.Written?
  ) throws -> ([String: [InputArtifact]], fingerprints: [Artifact: Fingerprint]) {
    var fingerprints = [Artifact: Fingerprint]()
    let inputs = try order.inputs.mapValues { artifacts in
      try artifacts.map { artifact in
        if artifact.isExternal {
          guard let tree = sources[artifact.digest] else {
            preconditionFailure("\(order.stage): no source with \(artifact.digest.short)")
          }
          return InputArtifact(
            kind: artifact.kind, digest: artifact.digest, path: tree.root, manifest: tree.manifest)
        }
        if let element, artifact == element.artifact {
          return InputArtifact(kind: artifact.kind, digest: artifact.digest, path: element.path, manifest: nil)
        }
        fingerprints[artifact] = try store.verify(artifact) { !interruption.isRequested }
        let path = store.objectPath(artifact)
        guard artifact.kind == TreeFormat.name else {
          return InputArtifact(kind: artifact.kind, digest: artifact.digest, path: path, manifest: nil)
        }
        return InputArtifact(
          kind: artifact.kind, digest: artifact.digest, path: path + "/" + TreeFormat.filesName,
          manifest: try TreeFormat.manifest(of: path))
      }
    }
    return (inputs, fingerprints)
  }

  /// An object that changed while the stage read it would make a result that its key does not tell.
  private func refuseChangedObjects(_ fingerprints: [Artifact: Fingerprint]) throws {
    for (artifact, fingerprint) in fingerprints.sorted(by: { $0.key < $1.key })
    where try store.fingerprint(of: artifact) != fingerprint {
      throw PipelineError(
        .damaged,
        "\(store.objectPath(artifact)) changed while '\(order.stage)' was reading it; nothing was stored. "
          + "'audit' tells whether it is damaged, 'repair' makes it anew; then run again")
    }
  }

  /// Where the files of the tree lie that an element is of.
  private func folder(of element: Record.Element) throws -> String {
    if let tree = sources[element.array] { return tree.root }
    let tree = store.origin(of: element)
    try store.verify(tree)
    return store.objectPath(tree) + "/" + TreeFormat.filesName
  }

  /// A file that changed while the stage read it would make a result that its key does not tell.
  ///
  /// Stages that read through the manifest check every file as they read it. Programs see the folder itself, so its
  /// folders count as well: one that was swapped for another and back has another time of change.
  private func refuseChangedSources() throws {
    for artifact in order.inputs.values.joined() where artifact.isExternal {
      guard let tree = sources[artifact.digest] else { continue }
      let folders = node.prepared.tools == nil ? [] : [""] + tree.manifest.folders
      for place in folders + tree.manifest.entries.map(\.path) {
        let path = place.isEmpty ? tree.root : tree.root + "/" + place
        guard try Files.optionalStatus(path) == tree.stamps[ByteName(place)] else {
          throw PipelineError(
            .badArtifact, "\(path) changed while '\(order.stage)' was reading it; nothing was stored. Run again")
        }
      }
    }
  }

  private func recordSource(_ observed: [String: Artifact]) throws -> WorkOutcome {
    let scratch = try store.makeScratch()
    defer { try? Files.remove(scratch) }
    let written = try observed.sorted { $0.key < $1.key }.map { name, artifact in
      let tree = sources[artifact.digest]!
      return artifact.isExternal
        ? try store.write(tree.manifest, to: "\(scratch)/out.\(name)")
        : try copy(tree, as: artifact, to: "\(scratch)/out.\(name)")
    }
    let result = Result(
      written: Dictionary(uniqueKeysWithValues: zip(observed.keys.sorted(), written)), elements: [], trace: Trace(),
      facts: [:], started: Timestamp.now(), seconds: 0, scratch: scratch)
    let isRecorded = try store.outputs(of: order.key) != nil
    try store.commit(written, record: isRecorded ? nil : record(outputs: observed, result), scratch: scratch)
    return .executed(observed, seconds: 0)
  }

  /// Copies the files of a source, to be stored themselves.
  private func copy(_ tree: SourceTree, as artifact: Artifact, to target: String) throws -> Store.Written {
    let files = target + "/" + TreeFormat.filesName
    try Files.makeFolder(files)
    for entry in tree.manifest.entries {
      let file = "\(files)/\(entry.path)"
      try Files.makeFolder(Checkout.folder(ofFile: file))
      try Files.copy("\(tree.root)/\(entry.path)", to: file)
    }
    let written = try store.identify(StageContext.WrittenFile(path: target), kind: TreeFormat.name)
    guard written.artifact.digest == artifact.digest else {
      throw PipelineError(.badArtifact, "\(tree.root) changed while it was copied; run again")
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

  private func record(outputs: [String: Artifact], _ result: Result) -> Record {
    var environment = order.environment.objectValue ?? [:]
    environment.merge(result.facts) { _, fact in fact }
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
