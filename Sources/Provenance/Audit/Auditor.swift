import ArtifactStore
import Determinism
import PipelineModel
import PipelineRunner

/// Checks a store against itself: the bytes of every object, every record, and that each record's inputs have makers.
///
/// It changes nothing, trusts neither index nor times, and continues after whatever it cannot read.
public struct Auditor {
  let store: Store
  let isDeep: Bool
  let interruption: Interruption
  let progress: @Sendable (_ doneBytes: Int, _ path: String) -> Void

  /// - Parameters:
  ///   - deep: whether to recompute the logical digest of every object too, not only that of its bytes.
  ///   - progress: hears of every object checked.
  public init(
    store: Store, deep: Bool = false, interruption: Interruption = Interruption(),
    progress: @escaping @Sendable (_ doneBytes: Int, _ path: String) -> Void = { _, _ in }
  ) {
    self.store = store
    self.isDeep = deep
    self.interruption = interruption
    self.progress = progress
  }

  /// Audits the whole store, or only what one plan rests on.
  /// - Throws: `StageInterrupted` where the user asked to stop.
  public func audit(
    plan: Plan? = nil, variables: [String: String] = [:], trusting trusted: TrustedKeys? = nil
  ) throws -> AuditReport {
    // Whoever removes things waits; a store that nobody can write needs no lock.
    let guarded = try StoreLock.shared(store)
    defer { withExtendedLifetime(guarded) {} }
    var ledger = Ledger()
    let behind = try plan.map { try recordsBehind($0) }
    var records = [Record]()
    for key in behind?.keys.sorted() ?? allKeys(&ledger) {
      guard let record = behind?.records[key] ?? read(key, &ledger) else { continue }
      records.append(record)
    }
    checkIndex(records, &ledger)
    checkProvenance(records, &ledger)
    checkEnvironments(records, &ledger)
    try checkObjects(records, isWhole: plan == nil, &ledger)
    if let trusted { checkSignatures(records, trusted, &ledger) }
    if let plan { checkCompleteness(plan, &ledger) }
    for (name, value) in variables.sorted(by: { $0.key < $1.key }) {
      try checkSources(root: value, variable: name, records: records, &ledger)
    }
    for (root, label) in foldersOfData(of: records, variables) { try recheck(root, label, &ledger) }
    ledger.findings.sort { ($0.isProblem ? 0 : 1, $0.path, $0.message) < ($1.isProblem ? 0 : 1, $1.path, $1.message) }
    return AuditReport(
      findings: ledger.findings, records: records.count, objects: ledger.objects, bytes: ledger.bytes,
      root: plan?.root, signed: ledger.signed)
  }

  /// What environments consisted of is kept by its digest, which is in the keys of records.
  private func checkEnvironments(_ records: [Record], _ ledger: inout Ledger) {
    for digest in Set(records.compactMap(\.environmentDigest)).sorted() {
      guard EnvironmentStore.contents(of: digest, in: store.path) == nil else { continue }
      let path = EnvironmentStore.path(of: digest, in: store.path)
      let isThere = Files.exists(path)
      note(
        isThere ? .corrupt : .missing, path,
        "what the environment \(digest.short) consisted of \(isThere ? "was changed" : "is missing"): remove the file, and "
          + "plan the pipeline where the environment is, to have it written again", &ledger)
    }
  }

  struct Ledger {
    var findings: [AuditReport.Finding] = []
    var objects = 0
    var bytes = 0
    /// Digests of the elements of arrays and trees that were looked at.
    private var elements: [Artifact: [Digest]] = [:]
    var signed: [AuditReport.Signed] = []

    /// The digests of an array's or a tree's elements; none where it can't be read, which is reported elsewhere.
    mutating func elements(of array: Artifact, in store: Store) -> [Digest] {
      if let known = elements[array] { return known }
      let path = store.objectPath(array)
      let found =
        array.kind == TreeFormat.name
        ? (try? TreeFormat.manifest(of: path))?.entries.map(\.sha256)
        : (try? JSONFormat.read(path))?.arrayValue?.map(\.digest)
      elements[array] = found ?? []
      return found ?? []
    }
  }

  func note(_ kind: AuditReport.Finding.Kind, _ path: String, _ message: String, _ ledger: inout Ledger) {
    let prefix = store.path + "/"
    let shown = path.hasPrefix(prefix) ? String(path.dropFirst(prefix.count)) : path
    ledger.findings.append(AuditReport.Finding(kind: kind, path: shown, message: message))
  }

  // MARK: Records

  private func allKeys(_ ledger: inout Ledger) -> [Digest] {
    var keys = Set<Digest>()
    do {
      for name in try Files.list(store.path + "/records") {
        if name.hasSuffix(".json"), let key = Digest(hex: String(name.dropLast(5))) {
          keys.insert(key)
        } else {
          note(.orphaned, "\(store.path)/records/\(name)", "not the name of a record", &ledger)
        }
      }
    } catch {
      note(.unreadable, store.path + "/records", "\(error)", &ledger)
    }
    // A record that the index heard of and that is gone would otherwise not be missed.
    for key in store.index.allKeys where !keys.contains(key) {
      let entry = store.index.entry(key)!
      note(.missing, store.recordPath(key), "the record of stage '\(entry.stage)' (\(entry.kind)) is gone", &ledger)
    }
    return keys.sorted()
  }

  /// Plans take the index at its word.
  private func checkIndex(_ records: [Record], _ ledger: inout Ledger) {
    for record in records {
      guard let entry = store.index.entry(record.key), entry.outputs != record.outputs else { continue }
      note(
        .mismatching, "\(store.path)/index",
        "it names other outputs of stage '\(record.stage)' than the record \(record.key.short) does; delete the index",
        &ledger)
    }
  }

  private func recordsBehind(_ plan: Plan) throws -> (keys: Set<Digest>, records: [Digest: Record]) {
    let keys = Set(plan.stages.flatMap(\.instances).map(\.key)).filter { Files.exists(store.recordPath($0)) }
    return try store.recordedAncestry(of: keys)
  }

  private func read(_ key: Digest, _ ledger: inout Ledger) -> Record? {
    do {
      return try store.record(key)
    } catch let error as PipelineError where error.code == .damaged {
      let stage = store.index.entry(key).map { "record of stage '\($0.stage)': " } ?? ""
      let why = error.message.replacing("\(store.recordPath(key)): ", with: "")
      note(.corrupt, store.recordPath(key), stage + why, &ledger)
    } catch {
      note(.unreadable, store.recordPath(key), "\(error)", &ledger)
    }
    return nil
  }

  /// Every input must be the output of some record, or an element of an array that is.
  private func checkProvenance(_ records: [Record], _ ledger: inout Ledger) {
    let made = Set(records.flatMap { $0.outputs.values.map(\.digest) })
    for record in records {
      for (name, input) in record.identity.inputs.sorted(by: { $0.key < $1.key }) {
        let digests =
          switch input {
          case .single(let digest): [digest]
          case .list(let list): list
          }
        for digest in digests {
          if let element = record.elements[name] {
            checkElement(element, digest, name, record, made: made, &ledger)
          } else if !made.contains(digest) {
            note(
              .missing, store.recordPath(record.key),
              "stage '\(record.stage)': no record says what made its input '\(name)' (\(digest.short))", &ledger)
          }
        }
      }
    }
  }

  private func checkElement(
    _ element: Record.Element, _ digest: Digest, _ name: String, _ record: Record, made: Set<Digest>,
    _ ledger: inout Ledger
  ) {
    let array = store.origin(of: element)
    let place = "stage '\(record.stage)': its input '\(name)' (\(digest.short))"
    guard made.contains(element.array), store.hasObject(array) else {
      note(.missing, store.recordPath(record.key), "\(place) is an element of an array that is gone", &ledger)
      return
    }
    let elements = ledger.elements(of: array, in: store)
    guard elements.indices.contains(element.index), elements[element.index] == digest else {
      note(
        .mismatching, store.recordPath(record.key),
        "\(place) is not element \(element.index) of \(element.array.short), as the record says", &ledger)
      return
    }
    let object = Artifact(kind: element.kind, digest: digest)
    if store.registry.formats[element.kind] == nil || !store.hasObject(object) {
      note(.missing, store.objectPath(object), "\(place) is gone; what it was taken from is still there", &ledger)
    }
  }

  private func checkCompleteness(_ plan: Plan, _ ledger: inout Ledger) {
    for stage in plan.stages where stage.state != .cached {
      let why = stage.problem?.message ?? stage.instances.flatMap(\.reasons).first ?? "not run"
      note(.missing, plan.pipeline, "stage '\(stage.name)' is not up to date: \(why)", &ledger)
    }
  }
}
