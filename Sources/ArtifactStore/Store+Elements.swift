import Determinism
import PipelineModel

extension Store {
  /// The elements of a stored array or tree.
  /// - Throws: code `badArtifact` where it has none.
  package func elements(of artifact: Artifact) throws -> [ElementValue] {
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
  package func origin(of element: Record.Element) -> Artifact {
    if element.kind == JSONFormat.name { return Artifact(kind: JSONFormat.name, digest: element.array) }
    let stored = Artifact(kind: TreeFormat.name, digest: element.array)
    let external = Artifact(kind: TreeFormat.name, digest: element.array, isExternal: true)
    return hasObject(external) && !hasObject(stored) ? external : stored
  }

  /// Makes an element an object of its own, so that every input is a file of its digest.
  /// - Parameter folder: where the files of its tree lie.
  package func publish(_ element: ElementValue, from folder: String) throws {
    let scratch = try makeScratch()
    defer { try? Files.remove(scratch) }
    try commit([write(element, from: folder, to: scratch + "/each")], record: nil, scratch: scratch)
  }

  /// Writes an element as an artifact to be.
  /// - Throws: code `damaged` where a file is not as its tree says.
  package func write(_ element: ElementValue, from folder: String, to path: String) throws -> Written {
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
