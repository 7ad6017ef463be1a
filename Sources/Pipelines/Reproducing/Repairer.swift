import Determinism

/// Makes damaged and missing artifacts anew, each by the one stage that made it, and proves that its content is the
/// recorded one. What was damaged is set aside under `damaged/`, not deleted.
public struct Repairer {
  let store: Store
  let variables: [String: String]
  let options: RunOptions
  let interruption: Interruption
  let observer: @Sendable (RunEvent) -> Void

  public init(
    store: Store, variables: [String: String], options: RunOptions, interruption: Interruption = Interruption(),
    observer: @escaping @Sendable (RunEvent) -> Void = { _ in }
  ) {
    self.store = store
    self.variables = variables
    self.options = options
    self.interruption = interruption
    self.observer = observer
  }

  /// - Parameter targets: IDs of artifacts or records, or stages such as `evaluate` and `evaluate[3]`; none means all
  ///   that is damaged or missing.
  /// - Throws: code `unknownID` for a target that is nothing here; `StageInterrupted`.
  public func repair(_ targets: [String] = []) throws -> RepairReport {
    let guarded = try StoreLock.shared(store)
    defer { withExtendedLifetime(guarded) {} }
    let session = RepairSession(self)
    try session.open()
    let chosen = try targets.isEmpty ? session.everything : targets.flatMap { try session.find($0) }
    for subject in chosen { try session.mend(subject) }
    return RepairReport(items: session.items, checked: session.checked)
  }
}

/// What a repair did.
public struct RepairReport: Sendable {
  public struct Item: Sendable {
    public enum Outcome: Sendable, Equatable {
      /// Made anew, with the recorded digest.
      case repaired(seconds: Double)
      /// A record that is no record any more: its stage runs anew with the next run of its pipeline.
      case setAside
      /// Executed, but the result is another; nothing was stored.
      case differs(String)
      case impossible(String)
    }

    /// Such as `output 'weights' of 'pretrain'`.
    public let subject: String
    /// The file or folder, relative to the store.
    public let path: String
    public let damage: String
    public let outcome: Outcome
  }

  public let items: [Item]
  /// Artifacts looked at, sound ones included.
  public let checked: Int

  /// Nothing is left to repair.
  public var isComplete: Bool {
    items.allSatisfy {
      switch $0.outcome {
      case .repaired, .setAside: true
      case .differs, .impossible: false
      }
    }
  }

  public var hasDifferences: Bool {
    items.contains { if case .differs = $0.outcome { true } else { false } }
  }

  /// For programs.
  public var canonical: CanonicalValue {
    [
      "checked": .integer(checked), "complete": .bool(isComplete),
      "items": .array(
        items.map { item in
          let (outcome, detail) =
            switch item.outcome {
            case .repaired: ("repaired", "")
            case .setAside: ("set-aside", "")
            case .differs(let why): ("differs", why)
            case .impossible(let why): ("impossible", why)
            }
          return [
            "subject": .string(item.subject), "path": .string(item.path), "damage": .string(item.damage),
            "outcome": .string(outcome), "detail": .string(detail),
          ]
        }),
    ]
  }
}

/// One repair on its way: which records there are, what was looked at, what was done.
final class RepairSession {
  enum Subject {
    case artifact(Artifact)
    case record(Digest, damage: String)
  }

  private let repairer: Repairer
  private var store: Store { repairer.store }
  private let sources: SourceTrees
  private var records: [Record] = []
  private var makers: [Artifact: Record] = [:]
  private var elements: [Digest: Record.Element] = [:]
  /// Whether it was said that commands are executed without a sandbox.
  private var hasAnnounced = false
  private var damagedRecords: [(key: Digest, damage: String)] = []
  /// Whether what was looked at is sound now, by path.
  private var visited: [String: Bool] = [:]
  private(set) var items: [RepairReport.Item] = []
  var checked: Int { visited.count }

  init(_ repairer: Repairer) {
    self.repairer = repairer
    sources = SourceTrees(
      store: repairer.store, variables: repairer.variables, interruption: repairer.interruption,
      policy: repairer.options.sandbox)
  }

  /// Reads all records.
  func open() throws {
    for key in try store.recordKeys() {
      let record: Record
      do {
        record = try store.record(key)
      } catch let error as PipelineError {
        damagedRecords.append((key, error.message))
        continue
      }
      records.append(record)
      for artifact in record.outputs.values {
        // Where several made it, one that this program can still execute.
        if let known = makers[artifact], (try? Restoration(known, in: store, tools: sources.tools)) != nil { continue }
        makers[artifact] = record
      }
      for (port, origin) in record.elements {
        if case .single(let digest)? = record.identity.inputs[port] { elements[digest] = origin }
      }
    }
  }

  var everything: [Subject] {
    damagedRecords.map { .record($0.key, damage: $0.damage) } + makers.keys.sorted().map { .artifact($0) }
      + elements.sorted { $0.key < $1.key }.map { .artifact(Artifact(kind: $0.value.kind, digest: $0.key)) }
  }

  /// What a word on the command line means.
  func find(_ target: String) throws -> [Subject] {
    let named = records.filter { $0.stage == target || Explainer.base($0.stage) == target }
    if !named.isEmpty { return named.flatMap { $0.outputs.values.sorted() }.map { .artifact($0) } }
    let id = target.lowercased()
    if id.count >= 4, id.allSatisfy(\.isHexDigit) {
      // By the records too: an object that is missing has an ID all the same.
      let artifacts = Set(makers.keys.filter { $0.digest.hex.hasPrefix(id) })
        .union(
          elements.filter { $0.key.hex.hasPrefix(id) }.map { Artifact(kind: $0.value.kind, digest: $0.key) })
      let keys = records.filter { $0.key.hex.hasPrefix(id) }
      let broken = damagedRecords.filter { $0.key.hex.hasPrefix(id) }
      let digests = Set(artifacts.map(\.digest) + keys.map(\.key) + broken.map(\.key))
      guard digests.count <= 1 else {
        let names = digests.sorted().prefix(8).map(\.short).joined(separator: ", ")
        throw PipelineError(.unknownID, "'\(target)' begins several IDs; give more digits: \(names)")
      }
      let found =
        broken.map { Subject.record($0.key, damage: $0.damage) }
        + (artifacts.sorted() + keys.flatMap { $0.outputs.values.sorted() }).map { .artifact($0) }
      if !found.isEmpty { return found }
    }
    let hint = Suggestion.text(for: target, among: Set(records.map { Explainer.base($0.stage) }).sorted())
    throw PipelineError(.unknownID, "no stage and no ID '\(target)' in \(store.path)\(hint)")
  }

  func mend(_ subject: Subject) throws {
    switch subject {
    case .artifact(let artifact): _ = try mend(artifact)
    case .record(let key, let damage):
      let path = store.recordPath(key)
      try setAside([path])
      let stage = store.index.entry(key).map { " of '\($0.stage)'" } ?? ""
      note("record\(stage)", path, damage, .setAside)
    }
  }

  /// Mends an artifact, after all that is needed for it.
  /// - Returns: whether it is sound now.
  private func mend(_ artifact: Artifact) throws -> Bool {
    let path = store.objectPath(artifact)
    if let known = visited[path] { return known }
    if repairer.interruption.isRequested { throw StageInterrupted() }
    visited[path] = false  // What needs itself can't be mended; a sound store has no such thing.
    guard let damage = damage(of: artifact) else {
      visited[path] = true
      return true
    }
    let maker = makers[artifact]
    let output = maker?.outputs.sorted { $0.key < $1.key }.first { $0.value == artifact }?.key
    let subject = maker.map { "output '\(output ?? "")' of '\($0.stage)'" } ?? "element \(artifact.digest.short)"
    do {
      let seconds: Double
      if let maker {
        seconds = try remake(maker)
      } else if let origin = elements[artifact.digest] {
        seconds = try remake(artifact, from: origin)
      } else {
        throw PipelineError(.damaged, "no record says what made it")
      }
      if let left = self.damage(of: artifact) { throw PipelineError(.damaged, "it is still damaged: \(left)") }
      visited[path] = true
      note(subject, path, damage, .repaired(seconds: seconds))
      return true
    } catch let error as PipelineError where error.code == .notReproduced {
      note(subject, path, damage, .differs(error.message))
    } catch is StageInterrupted where repairer.interruption.isRequested {
      throw StageInterrupted()
    } catch {
      note(subject, path, damage, .impossible((error as? PipelineError)?.message ?? "\(error)"))
    }
    return false
  }

  private func damage(of artifact: Artifact) -> String? {
    do {
      if let damage = try store.damage(of: artifact) { return damage }
      // The content of tensors is not looked at: libhdf5 opens them only where it must.
      guard artifact.kind == JSONFormat.name else { return nil }
      let digest = try JSONFormat().digest(ofFileAt: store.objectPath(artifact))
      return digest == artifact.digest ? nil : "its content has the digest \(digest.short)"
    } catch {
      return "\(error)"
    }
  }

  /// Executes the one stage that made something, after mending what it reads.
  private func remake(_ record: Record) throws -> Double {
    for origin in record.elements.values {
      let array = store.origin(of: origin)
      if !array.isExternal { try require(array, of: record) }
    }
    let restoration = try Restoration(record, in: store, tools: sources.tools)
    for artifact in restoration.instance.inputs.values.joined().sorted() where !artifact.isExternal {
      try require(artifact, of: record)
    }
    let trees = try sources.trees(for: restoration)
    for artifact in record.outputs.values.sorted() where damage(of: artifact) != nil { try setAside(artifact) }
    let options = repairer.options
    if restoration.node.prepared.command != nil, !hasAnnounced, let notice = try Sandbox.notice(options.sandbox) {
      hasAnnounced = true
      repairer.observer(notice)
    }
    let execution = Execution(
      store: store, pipeline: record.pipeline, node: restoration.node, instance: restoration.instance, sources: trees,
      threads: options.threads, run: record.run, environment: options.environment,
      checkpointInterval: options.checkpointInterval, interruption: repairer.interruption, observer: repairer.observer,
      sandbox: options.sandbox)
    let outcome = try onDeepStack { [store] in
      try execution.perform { record.outputs.values.allSatisfy(store.hasObject) ? record.outputs : nil }
    }
    guard case .executed(let outputs, let seconds) = outcome else { return 0 }
    repairer.observer(
      .finished(stage: record.stage, key: record.key, outputs: outputs, seconds: seconds))
    return seconds
  }

  private func remake(_ artifact: Artifact, from origin: Record.Element) throws -> Double {
    let array = store.origin(of: origin)
    if array.isExternal { throw PipelineError(.damaged, "its file lies in a source's folder; run the pipeline") }
    guard try mend(array) else {
      throw PipelineError(.damaged, "the array it is an element of, \(origin.array.short), can't be repaired")
    }
    try setAside(artifact)
    let files = store.objectPath(array) + "/" + TreeFormat.filesName
    try store.publish(ElementLookup(store: store).element(artifact.digest, origin), from: files)
    return 0
  }

  private func require(_ artifact: Artifact, of record: Record) throws {
    guard try mend(artifact) else {
      throw PipelineError(.damaged, "'\(record.stage)' reads \(artifact.digest.short), which can't be repaired")
    }
  }

  private func setAside(_ artifact: Artifact) throws {
    let path = store.objectPath(artifact)
    try setAside([path, path + ".sha256"])
  }

  /// Moves what is there into `damaged/`.
  private func setAside(_ paths: [String]) throws {
    let folder = store.path + "/damaged/" + Timestamp.compact()
    for path in paths where Files.exists(path) {
      try Files.makeFolder(folder)
      // The last two parts of an object's path are its digest.
      let name = path.split(separator: "/").suffix(2).joined(separator: "-")
      let target = "\(folder)/\(name)"
      try Files.remove(target)
      try Files.rename(path, to: target)
    }
  }

  private func note(_ subject: String, _ path: String, _ damage: String, _ outcome: RepairReport.Item.Outcome) {
    items.append(
      RepairReport.Item(
        subject: subject, path: String(path.dropFirst(store.path.count + 1)), damage: damage, outcome: outcome))
  }
}
