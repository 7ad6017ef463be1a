import Determinism

extension Auditor {
  /// An object that somebody names: who, for messages.
  private struct Claim {
    let artifact: Artifact
    let text: String
  }

  /// Checks every object that a record names, and of a whole store every other file among the objects.
  func checkObjects(_ records: [Record], isWhole: Bool, _ ledger: inout Ledger) throws {
    var claims = [String: Claim]()
    var elements = Set<String>()
    for record in records {
      for (name, artifact) in record.outputs.sorted(by: { $0.key < $1.key }) {
        guard store.registry.formats[artifact.kind] != nil else {
          let message = "stage '\(record.stage)': unknown artifact kind '\(artifact.kind)'"
          note(.unreadable, store.recordPath(record.key), message, &ledger)
          continue
        }
        let path = store.objectPath(artifact)
        if claims[path] == nil {
          claims[path] = Claim(artifact: artifact, text: "output '\(name)' of stage '\(record.stage)'")
        }
      }
      for port in record.elements.keys {
        guard case .single(let digest)? = record.identity.inputs[port] else { continue }
        elements.insert(store.objectPath(Artifact(kind: JSONFormat.name, digest: digest)))
      }
    }
    for path in claims.keys.sorted() {
      if interruption.isRequested { throw StageInterrupted() }
      check(claims[path]!.artifact, at: path, text: claims[path]!.text, isRequired: true, &ledger)
    }
    if isWhole { try checkRest(claimed: Set(claims.keys), elements: elements, &ledger) }
  }

  private func check(_ artifact: Artifact, at path: String, text: String, isRequired: Bool, _ ledger: inout Ledger) {
    ledger.objects += 1
    do {
      guard Files.exists(path) else {
        if isRequired { note(.missing, path, "\(text) is gone", &ledger) }
        return
      }
      let size = try store.objectSize(path)
      ledger.bytes += size
      progress(ledger.bytes, path)
      if let damage = try store.damage(of: artifact) {
        note(.corrupt, path, "\(text): \(damage)", &ledger)
        return
      }
      let digest = try contentDigest(of: artifact, at: path)
      if let digest, digest != artifact.digest {
        note(
          .mismatching, path, "\(text): its content has the digest \(digest.short), not the one it is named by",
          &ledger)
      }
    } catch {
      note(.unreadable, path, "\(text): \(error)", &ledger)
    }
  }

  /// Nil for an object whose content is looked at by a deep audit only. Of a tree all files were hashed just before.
  private func contentDigest(of artifact: Artifact, at path: String) throws -> Digest? {
    if artifact.kind == TreeFormat.name { return try TreeFormat.manifest(of: path).digest }
    guard isDeep || artifact.kind == JSONFormat.name else { return nil }
    return try store.registry.format(artifact.kind).digest(ofFileAt: path)
  }

  /// What lies among the objects without a record that names it.
  private func checkRest(claimed: Set<String>, elements: Set<String>, _ ledger: inout Ledger) throws {
    let kinds = Dictionary(
      store.registry.formats.values.map { (type(of: $0).fileExtension, type(of: $0).name) },
      uniquingKeysWith: { a, _ in a })
    let objects = store.path + "/objects"
    do {
      for folder in try Files.list(objects) {
        let names = Set(try Files.list("\(objects)/\(folder)"))
        for name in names.sorted() {
          if interruption.isRequested { throw StageInterrupted() }
          let path = "\(objects)/\(folder)/\(name)"
          if claimed.contains(path) { continue }
          if name.hasSuffix(".sha256") {
            // Of a claimed object that is gone, the loss is reported already.
            let object = String(path.dropLast(7))
            if !names.contains(String(name.dropLast(7))), !claimed.contains(object) {
              note(.orphaned, path, "the SHA-256 of an object that is not there", &ledger)
            }
            continue
          }
          let parts = name.split(separator: ".").map(String.init)
          guard parts.count == 2, let digest = Digest(hex: folder + parts[0]),
            let kind = parts[1] == "manifest" ? TreeFormat.name : kinds[parts[1]]
          else {
            note(.orphaned, path, "not the name of an object", &ledger)
            continue
          }
          let artifact = Artifact(kind: kind, digest: digest, isExternal: parts[1] == "manifest")
          let isElement = elements.contains(path)
          check(
            artifact, at: path, text: isElement ? "element of an array" : "an object that no record names",
            isRequired: false, &ledger)
          if !isElement { note(.orphaned, path, "no record names it", &ledger) }
        }
      }
    } catch let error as PipelineError {
      note(.unreadable, objects, error.message, &ledger)
    }
  }

  /// Reads again the files of a source that plans take as unchanged, and compares.
  func checkSources(root: String, variable: String, records: [Record], _ ledger: inout Ledger) throws {
    let kinds = Set(store.registry.kinds.values.filter { $0.sourceVariable == variable }.map(\.name))
    guard records.contains(where: { kinds.contains($0.identity.kind) }) else { return }
    let folder = Files.absolute(root)
    let memory = try SourceMemory(store: store, root: folder)
    for file in memory.files {
      if interruption.isRequested { throw StageInterrupted() }
      let path = folder + "/" + file
      do {
        guard let status = try Files.optionalStatus(path), let known = memory.digest(of: file, status) else { continue }
        ledger.bytes += status.size
        progress(ledger.bytes, path)
        if try Files.sha256(path) != known {
          note(
            .corrupt, path, "its bytes changed although size and times say otherwise (source \(variable))", &ledger)
        }
      } catch {
        note(.unreadable, path, "\(error)", &ledger)
      }
    }
  }
}
