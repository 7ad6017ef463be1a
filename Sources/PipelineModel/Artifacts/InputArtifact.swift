import Determinism

/// An artifact that a stage reads.
public struct InputArtifact: Sendable {
  public let kind: String
  public let digest: Digest
  /// The file, or of a tree the folder that holds its files. Read only.
  public let path: String
  /// Of a tree; nil for other kinds.
  package let manifest: TreeManifest?

  package init(kind: String, digest: Digest, path: String, manifest: TreeManifest?) {
    self.kind = kind
    self.digest = digest
    self.path = path
    self.manifest = manifest
  }

  /// Files of a tree, relative to `path`, sorted; nil for other kinds. A source's folder may hold more files than
  /// these: only these belong to the artifact.
  public var files: [String]? { manifest?.entries.map(\.path) }

  /// The files of a tree, each checked against the manifest as it is read.
  ///
  /// Stages read trees through this. A stage that lists the folder instead reads files that no key covers.
  /// - Precondition: the artifact is a tree.
  public var tree: any FileTree {
    guard let manifest else { preconditionFailure("tree: the artifact is of kind \(kind)") }
    return ManifestTree(root: path, manifest: manifest)
  }

  /// The value of a `json`, `metrics` or `history` artifact.
  /// - Throws: code `damaged` where the file's content is not that of the artifact.
  public func json() throws -> CanonicalValue {
    precondition(JSONFormat.kinds.contains(kind), "json(): the artifact is of kind \(kind)")
    let value = try JSONFormat.read(path)
    guard value.digest == digest else {
      throw PipelineError(.damaged, "\(path) changed while a stage was reading it; nothing was stored. Run again")
    }
    return value
  }

  /// A `json` artifact as a value of some type.
  public func decoded<T: Decodable>(as type: T.Type) throws -> T {
    do {
      return try json().decoded(as: type)
    } catch let error as DecodingError {
      throw PipelineError(.badArtifact, "\(path): \(error.plainText)")
    }
  }
}
