import Determinism

/// An artifact as a stage reads it.
public struct InputArtifact: Sendable {
  public let kind: String
  public let digest: Digest
  /// The file, or of a tree the folder that holds its files. Read only.
  public let path: String
  /// Files of a tree, relative to `path`, sorted; nil for other kinds. A source's folder may hold more files than
  /// these: only these belong to the artifact.
  public let files: [String]?

  /// The value of a `json` artifact.
  public func json() throws -> CanonicalValue {
    precondition(kind == JSONFormat.name, "json(): the artifact is of kind \(kind)")
    return try JSONFormat.read(path)
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

/// Partial state in the middle of a stage.
public struct Checkpoint: Sendable {
  /// Steps done.
  public let step: Int
  public let path: String
}
