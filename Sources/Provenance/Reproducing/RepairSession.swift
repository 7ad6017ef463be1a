import ArtifactStore
import Determinism
import PipelineModel
import PipelineRunner

/// A repair in progress: which records there are, what was examined, what was done.
final class RepairSession {
  enum Subject {
    case artifact(Artifact)
    case record(Digest, damage: String)
  }

  private let work: Reexecution
  private var store: Store { work.store }
  private let sources: SourceTrees
  private var records: [Record] = []
  /// In the order in which they are tried: several executions may have made the same artifact.
  private var makers: [Artifact: [Record]] = [:]
  private var elements: [Digest: Record.Element] = [:]
  /// Notices that were given already.
  private var notices: Set<String> = []
  private var damagedRecords: [(key: Digest, damage: String)] = []
  /// Whether what was examined is sound now, by path.
  private var visited: [String: Bool] = [:]
  private(set) var items: [RepairReport.Item] = []
  var checked: Int { visited.count }

  init(_ work: Reexecution) {
    self.work = work
    sources = SourceTrees(
      store: work.store, variables: work.variables, interruption: work.interruption,
      policy: work.options.sandbox)
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
      for artifact in Set(record.outputs.values) { makers[artifact, default: []].append(record) }
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
    let address = StageAddress(target)
    let named = records.filter {
      $0.stage == target || StageAddress.stage(ofInstance: $0.stage) == target
        || !address.conditions.isEmpty && address.matches(instance: $0.stage)
    }
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
    let hint = Suggestion.text(
      for: target, among: Set(records.map { StageAddress.stage(ofInstance: $0.stage) }).sorted())
    throw PipelineError(.unknownID, "no stage and no ID '\(target)' in \(store.path)\(hint)")
  }

  func repair(_ subject: Subject) throws {
    switch subject {
    case .artifact(let artifact): _ = try repair(artifact)
    case .record(let key, let damage):
      let path = store.recordPath(key)
      let stage = store.index.entry(key).map { " of '\($0.stage)'" } ?? ""
      // Its loss is known from here on.
      try store.index.addRemovals([key])
      try store.setAside([path])
      note("record\(stage)", path, damage, .setAside)
    }
  }

  /// Repairs an artifact, after everything that is needed for it.
  /// - Returns: whether it is sound now.
  private func repair(_ artifact: Artifact) throws -> Bool {
    let path = store.objectPath(artifact)
    if let known = visited[path] { return known }
    if work.interruption.isRequested { throw StageInterrupted() }
    let found = damage(of: artifact)
    // A check that was broken off found nothing.
    if work.interruption.isRequested { throw StageInterrupted() }
    guard let damage = found else {
      visited[path] = true
      return true
    }
    visited[path] = false  // Whoever made it of itself, passing it through, can't restore it.
    let attempts = makers[artifact] ?? []
    var outcome = RepairReport.Item.Outcome.impossible("no record says what made it")
    var subject = "element \(artifact.digest.short)"
    if attempts.isEmpty, let origin = elements[artifact.digest] {
      outcome = try attempt(artifact) { try remake(artifact, from: origin) }
    }
    for maker in attempts {
      // Left open meanwhile: another maker of the same may need what this one could not repair because of it.
      let before = visited
      let output = maker.outputs.sorted { $0.key < $1.key }.first { $0.value == artifact }?.key ?? ""
      subject = "output '\(output)' of '\(maker.stage)'"
      outcome = try attempt(artifact) { try remake(maker) }
      if case .repaired = outcome { break }
      visited.merge(before) { mine, earlier in mine || earlier }
      for other in visited.keys where before[other] == nil && visited[other] == false { visited[other] = nil }
    }
    if case .repaired = outcome { visited[path] = true }
    note(subject, path, damage, outcome)
    return visited[path] == true
  }

  /// Tries one way to restore an artifact.
  private func attempt(_ artifact: Artifact, _ remake: () throws -> Double) throws -> RepairReport.Item.Outcome {
    do {
      let seconds = try remake()
      if let left = damage(of: artifact) { throw PipelineError(.damaged, "it is still damaged: \(left)") }
      return .repaired(seconds: seconds)
    } catch let error as PipelineError where error.code == .notReproduced {
      return .differs(error.message)
    } catch is StageInterrupted where work.interruption.isRequested {
      throw StageInterrupted()
    } catch {
      return .impossible((error as? PipelineError)?.message ?? "\(error)")
    }
  }

  private func damage(of artifact: Artifact) -> String? {
    do {
      return try store.damageOfContent(artifact) { !work.interruption.isRequested }
    } catch {
      return "\(error)"
    }
  }

  /// Executes the one stage that made something, after repairing what it reads.
  private func remake(_ record: Record) throws -> Double {
    for origin in record.elements.values {
      let array = store.origin(of: origin)
      if !array.isExternal { try require(array, of: record) }
    }
    let restoration = try Restoration(record, in: store, host: sources.host)
    for artifact in restoration.instance.inputs.values.joined().sorted() where !artifact.isExternal {
      try require(artifact, of: record)
    }
    let trees = try sources.trees(for: restoration)
    let options = work.options
    for notice in try PreparedStage.notices(of: [restoration.stage.node.prepared], under: options.sandbox)
    where notices.insert(notice).inserted {
      work.observer(.notice(notice))
    }
    // What is damaged stays in its place until what replaces it is there: a repair that is killed has lost nothing.
    let order = restoration.order(purpose: .restore, trees: trees, run: record.run, options)
    let worker = Worker(
      store: store, host: sources.host, interruption: work.interruption, trees: trees
    ) { [node = restoration.stage.node] _ in node }
    let ends = try (work.executor ?? LocalExecutor(worker: worker, capacity: 1, threads: options.threads)).perform(
      [order], interruption: work.interruption, observer: work.observer)
    guard case .executed(let outputs, let seconds)? = try ends[order.key]?.get() else { return 0 }
    work.observer(
      .finished(stage: record.stage, key: record.key, outputs: outputs, seconds: seconds))
    return seconds
  }

  private func remake(_ artifact: Artifact, from origin: Record.Element) throws -> Double {
    let array = store.origin(of: origin)
    if array.isExternal { throw PipelineError(.damaged, "its file lies in a source's folder; run the pipeline") }
    guard try repair(array) else {
      throw PipelineError(.damaged, "the array it is an element of, \(origin.array.short), can't be repaired")
    }
    let files = store.objectPath(array) + "/" + TreeFormat.filesName
    try store.publish(ElementLookup(store: store).element(artifact.digest, origin), from: files)
    return 0
  }

  private func require(_ artifact: Artifact, of record: Record) throws {
    guard try repair(artifact) else {
      throw PipelineError(.damaged, "'\(record.stage)' reads \(artifact.digest.short), which can't be repaired")
    }
  }

  private func note(_ subject: String, _ path: String, _ damage: String, _ outcome: RepairReport.Item.Outcome) {
    items.append(
      RepairReport.Item(
        subject: subject, path: String(path.dropFirst(store.path.count + 1)), damage: damage, outcome: outcome))
  }
}
