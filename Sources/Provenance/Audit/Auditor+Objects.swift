import ArtifactStore
import Determinism
import PipelineModel

extension Auditor {
  /// An object to check, and what is said of it.
  private struct Subject: Sendable {
    let artifact: Artifact
    let path: String
    /// Who made it.
    let text: String
    /// Who built on it.
    let readers: [String]
    let isRequired: Bool
    /// What the records say of its file; none for an object that none names.
    var checksums: Set<Digest> = []
  }

  /// What a check brought.
  private struct Examination: Sendable {
    var kind: AuditReport.Finding.Kind?
    var message = ""
    var bytes = 0
    /// A large object whose content is still to be looked at, with all threads.
    var isPending = false
  }

  /// Checks every object that a record names, and of a whole store every other file among the objects.
  func checkObjects(_ records: [Record], isWhole: Bool, _ ledger: inout Ledger) throws {
    var makers = [String: (artifact: Artifact, texts: [String], checksums: Set<Digest>)]()
    var elements = Set<String>()
    for record in records {
      for (name, artifact) in record.outputs.sorted(by: { $0.key < $1.key }) {
        guard store.registry.formats[artifact.kind] != nil else {
          let message = "stage '\(record.stage)': unknown artifact kind '\(artifact.kind)'"
          note(.unreadable, store.recordPath(record.key), message, &ledger)
          continue
        }
        let text = "output '\(name)' of stage '\(record.stage)'"
        let path = store.objectPath(artifact)
        makers[path, default: (artifact, [], [])].texts.append(text)
        if let checksum = record.checksums[name] { makers[path]!.checksums.insert(checksum) }
      }
      for (port, element) in record.elements where store.registry.formats[element.kind] != nil {
        guard case .single(let digest)? = record.identity.inputs[port] else { continue }
        elements.insert(store.objectPath(Artifact(kind: element.kind, digest: digest)))
      }
    }
    let readers = readers(of: records)
    try examine(
      makers.sorted { $0.key < $1.key }.map { path, made in
        Subject(
          artifact: made.artifact, path: path, text: Auditor.list(made.texts),
          readers: readers[made.artifact.digest] ?? [], isRequired: true, checksums: made.checksums)
      }, &ledger)
    if isWhole { try checkRest(claimed: Set(makers.keys), elements: elements, readers: readers, &ledger) }
  }

  /// Names of the stages that read an artifact, by its digest.
  private func readers(of records: [Record]) -> [Digest: [String]] {
    var readers = [Digest: [String]]()
    for record in records {
      var digests = Set<Digest>()
      for input in record.identity.inputs.values {
        switch input {
        case .single(let digest): digests.insert(digest)
        case .list(let list): digests.formUnion(list)
        }
      }
      for digest in digests { readers[digest, default: []].append("'\(record.stage)'") }
    }
    return readers
  }

  /// The first few of many.
  private static func list(_ names: [String]) -> String {
    let names = names.count < 2 ? names : Array(Set(names)).sorted()
    let shown = names.prefix(4).joined(separator: ", ")
    return names.count > 4 ? "\(shown) and \(names.count - 4) more" : shown
  }

  /// Checks objects, several at a time; the findings come in the order of the subjects.
  private func examine(_ subjects: [Subject], _ ledger: inout Ledger) throws {
    // A portion at a time, so that progress shows and a request to stop is seen.
    for start in stride(from: 0, to: subjects.count, by: 256) {
      if interruption.isRequested { throw StageInterrupted() }
      let portion = Array(subjects[start..<min(start + 256, subjects.count)])
      var results = Parallel.map(portion.count) { examine(portion[$0]) }
      for i in portion.indices where results[i].isPending { examineContent(portion[i], &results[i]) }
      for (subject, result) in zip(portion, results) {
        ledger.objects += 1
        ledger.bytes = ledger.bytes.addingSaturated(result.bytes)
        guard let kind = result.kind else { continue }
        let readers = subject.readers.isEmpty ? "" : "; read by \(Auditor.list(subject.readers))"
        note(kind, subject.path, "\(subject.text)\(result.message)\(readers)", &ledger)
      }
      progress(ledger.bytes, portion[portion.count - 1].path)
    }
    if interruption.isRequested { throw StageInterrupted() }
  }

  private func examine(_ subject: Subject) -> Examination {
    var result = Examination()
    do {
      if interruption.isRequested { return result }
      guard Files.exists(subject.path) else {
        if subject.isRequired { (result.kind, result.message) = (.missing, " is gone") }
        return result
      }
      result.bytes = try store.objectSize(subject.path)
      if let damage = try store.damage(of: subject.artifact, while: { !interruption.isRequested }) {
        (result.kind, result.message) = (.corrupt, ": \(damage)")
      } else if isDeep, result.bytes > 16 << 20 {
        result.isPending = true
      } else {
        examineContent(subject, &result)
      }
    } catch {
      (result.kind, result.message) = (.unreadable, ": \(error)")
    }
    return result
  }

  private func examineContent(_ subject: Subject, _ result: inout Examination) {
    do {
      // A file with other bytes than were recorded may hold the same content, if another version of a library wrote it.
      let isKnown = try subject.checksums.isEmpty || subject.checksums.contains(store.checksum(of: subject.artifact))
      guard let digest = try contentDigest(of: subject.artifact, at: subject.path, isNeeded: !isKnown),
        digest != subject.artifact.digest
      else { return }
      result.kind = .mismatching
      result.message = ": its content has the digest \(digest.short), not the one it is named by"
    } catch {
      (result.kind, result.message) = (.unreadable, ": \(error)")
    }
  }

  /// Nil for an object whose content is looked at by a deep audit only.
  /// - Parameter isNeeded: whether its bytes do not tell already that it is what was recorded.
  private func contentDigest(of artifact: Artifact, at path: String, isNeeded: Bool) throws -> Digest? {
    // These are named by their bytes, which were hashed just before.
    if [TreeFormat.name, FileFormat.name].contains(artifact.kind) { return nil }
    if JSONFormat.kinds.contains(artifact.kind) {
      // Bytes whose SHA-256 is the name are the canonical text itself; as values they take many times the memory.
      let isLarge = try Files.status(path).size > 16 << 20
      if isLarge, try store.checksum(of: artifact) == artifact.digest { return nil }
    } else if !isDeep, !isNeeded {
      return nil
    }
    return try store.registry.format(artifact.kind).digest(ofFileAt: path)
  }

  /// What lies among the objects without a record that names it.
  private func checkRest(
    claimed: Set<String>, elements: Set<String>, readers: [Digest: [String]], _ ledger: inout Ledger
  ) throws {
    let objects = store.path + "/objects"
    for folder in list(objects, &ledger) {
      let names = Set(list("\(objects)/\(folder)", &ledger))
      var subjects = [Subject]()
      for name in names.sorted() {
        let path = "\(objects)/\(folder)/\(name)"
        if claimed.contains(path) { continue }
        if name.hasSuffix(".sha256") {
          // Of a claimed object that is gone, the loss is reported already.
          let object = String(path.dropLast(7))
          if !names.contains(String(name.dropLast(7))), !claimed.contains(object) {
            note(.orphaned, path, "the SHA-256 of a missing object", &ledger)
          }
        } else if let artifact = artifact(folder: folder, name: name) {
          let isElement = elements.contains(path)
          subjects.append(
            Subject(
              artifact: artifact, path: path,
              text: isElement ? "element of an array" : "an object that no record names",
              readers: readers[artifact.digest] ?? [], isRequired: false))
          if !isElement { note(.orphaned, path, "no record names it", &ledger) }
        } else {
          note(.orphaned, path, "not the name of an object", &ledger)
        }
      }
      try examine(subjects, &ledger)
    }
  }

  /// Names in a folder; one that can't be read is reported, and has none.
  private func list(_ folder: String, _ ledger: inout Ledger) -> [String] {
    do {
      return try Files.list(folder)
    } catch {
      note(.unreadable, folder, "\(error)", &ledger)
      return []
    }
  }

  private func artifact(folder: String, name: String) -> Artifact? {
    let parts = name.splitBytes(at: UInt8(ascii: "."))
    guard parts.count == 2, let digest = Digest(hex: folder + parts[0]) else { return nil }
    if parts[1] == "manifest" { return Artifact(kind: TreeFormat.name, digest: digest, isExternal: true) }
    let kind = store.registry.formats.values.first { type(of: $0).fileExtension == parts[1] }
    return kind.map { Artifact(kind: type(of: $0).name, digest: digest) }
  }

  /// Reads again the files of a source that plans take as unchanged, and compares.
  func checkSources(root: String, variable: String, records: [Record], _ ledger: inout Ledger) throws {
    let kinds = Set(store.registry.kinds.values.filter { $0.sourceVariable == variable }.map(\.name))
    guard records.contains(where: { kinds.contains($0.identity.kind) }) else { return }
    try recheck(root, "source \(variable)", &ledger)
  }

  /// Folders that records of `folder` stages refer to, each once; those that are not there now are left out, since data
  /// may lie elsewhere.
  func foldersOfData(of records: [Record], _ variables: [String: String]) -> [(root: String, label: String)] {
    var found = [ByteName: String]()
    for record in records {
      guard let kind = store.registry.kinds[record.identity.kind], kind.isSource, kind.sourceVariable == nil,
        let own = try? kind.reinstate?(record.identity.parameters, store.registry),
        let prepared = try? own.restore(record.identity.parameters), case .source(let folder) = prepared.body,
        !folder.isCopied
      else { continue }
      switch folder.root {
      case .folder(let path): found[ByteName(Files.absolute(path))] = "source '\(record.stage)'"
      case .variable(let name):
        guard let path = variables[name], !path.isEmpty else { continue }
        found[ByteName(Files.absolute(path))] = "source '\(record.stage)', \(name)"
      }
    }
    return found.sorted { $0.key < $1.key }.filter { Files.exists($0.key.text) }.map { ($0.key.text, $0.value) }
  }

  func recheck(_ root: String, _ label: String, _ ledger: inout Ledger) throws {
    let folder = Files.absolute(root)
    let memory = try FileDigestCache(store: store.path, isObserved: store.isObserved, root: folder)
    for file in memory.files {
      if interruption.isRequested { throw StageInterrupted() }
      let path = folder + "/" + file
      do {
        guard let status = try Files.optionalStatus(path), let known = memory.digest(of: file, status) else { continue }
        ledger.bytes = ledger.bytes.addingSaturated(status.size)
        progress(ledger.bytes, path)
        if try Files.sha256(path) != known {
          note(
            .corrupt, path, "its bytes changed although size and times say otherwise (\(label))", &ledger)
        }
      } catch {
        note(.unreadable, path, "\(error)", &ledger)
      }
    }
  }
}
