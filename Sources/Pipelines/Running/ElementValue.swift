import Determinism

/// One element of what a stage is fanned out over: a value of a `json` array, or a file of a tree.
enum ElementValue: Sendable, Equatable {
  case json(CanonicalValue)
  case file(TreeManifest.Entry)

  /// As which a stage reads it.
  var artifact: Artifact {
    switch self {
    case .json(let value): Artifact(kind: JSONFormat.name, digest: value.digest)
    case .file(let entry): Artifact(kind: FileFormat.name, digest: entry.sha256)
    }
  }

  /// Instances of one stage at most: an array from somebody else must not fill the memory.
  static let limit = 250_000

  static func tooMany(_ count: Int, _ place: String) -> PipelineError {
    PipelineError(.badArtifact, "\(place): \(count) elements; for-each takes at most \(limit)")
  }

  /// The files of a tree, in the order of its manifest.
  static func files(of manifest: TreeManifest, _ place: String) throws -> [ElementValue] {
    guard manifest.entries.count <= limit else { throw tooMany(manifest.entries.count, place) }
    return manifest.entries.map { .file($0) }
  }

  /// The kind of artifact that the elements of one of some kind are; nil for what has no elements.
  static func kind(ofElementsOf kind: String) -> String? {
    switch kind {
    case JSONFormat.name: JSONFormat.name
    case TreeFormat.name: FileFormat.name
    default: nil
    }
  }
}

extension Store {
  /// The elements of a stored array or tree.
  /// - Throws: code `badArtifact` where it has none.
  func elements(of artifact: Artifact) throws -> [ElementValue] {
    let path = objectPath(artifact)
    if artifact.kind == TreeFormat.name {
      try verify(artifact)
      return try ElementValue.files(of: TreeFormat.manifest(of: path), path)
    }
    guard let values = try value(of: artifact).arrayValue else {
      throw PipelineError(.badArtifact, "\(path): for-each needs an array")
    }
    guard values.count <= ElementValue.limit else { throw ElementValue.tooMany(values.count, path) }
    return values.map { .json($0) }
  }

  /// What an element was taken from: an array, or a tree whose files may lie in a source's folder.
  func origin(of element: Record.Element) -> Artifact {
    if element.kind == JSONFormat.name { return Artifact(kind: JSONFormat.name, digest: element.array) }
    let stored = Artifact(kind: TreeFormat.name, digest: element.array)
    let external = Artifact(kind: TreeFormat.name, digest: element.array, isExternal: true)
    return hasObject(external) && !hasObject(stored) ? external : stored
  }

  /// Makes an element an object of its own, so that every input is a file of its digest.
  /// - Parameter folder: where the files of its tree lie.
  func publish(_ element: ElementValue, from folder: String) throws {
    let scratch = try makeScratch()
    defer { try? Files.remove(scratch) }
    try commit([write(element, from: folder, to: scratch + "/each")], record: nil, scratch: scratch)
  }

  /// Writes an element as an artifact to be.
  /// - Throws: code `damaged` where a file is not as its tree says.
  func write(_ element: ElementValue, from folder: String, to path: String) throws -> Written {
    switch element {
    case .json(let value): return try write(value, to: path)
    case .file(let entry):
      try Files.copy("\(folder)/\(entry.path)", to: path)
      let written = try identify(StageContext.WrittenFile(path: path), kind: FileFormat.name)
      guard written.artifact == element.artifact else {
        throw PipelineError(.damaged, "\(folder)/\(entry.path): its bytes are not those of its tree")
      }
      return written
    }
  }
}
