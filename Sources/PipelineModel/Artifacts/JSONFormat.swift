import Determinism

/// Small structured results. The digest is SHA-256 of the canonical JSON text.
public struct JSONFormat: ArtifactFormat {
  public static let name = "json"
  public static let fileExtension = "json"

  /// Kinds of artifacts whose files hold canonical JSON.
  package static let kinds: Set<String> = [name, MetricsFormat.name, HistoryFormat.name]

  /// As values in memory, JSON of many small values takes up to 85 times its size.
  package static let sizeLimit = 32 << 20

  public init() {}

  public func digest(ofFileAt path: String) throws -> Digest {
    try JSONFormat.read(path).digest
  }

  package static func read(_ path: String) throws -> CanonicalValue {
    let size = try Files.status(path).size
    guard size <= sizeLimit else {
      throw PipelineError(
        .badArtifact,
        "\(path): \(size) bytes; a value of kind 'json' has \(sizeLimit >> 20) MiB at most. Declare it as "
          + "{ path: ..., kind: file }")
    }
    let bytes = try Files.read(path, limit: sizeLimit)
    do {
      return try CanonicalValue(json: bytes)
    } catch {
      throw PipelineError(.badArtifact, "\(path): not JSON: \(error)")
    }
  }

  public func differences(between a: String, and b: String, limit: Int) throws -> [ArtifactDifference] {
    ValueDifference.all(between: try JSONFormat.read(a), and: try JSONFormat.read(b), limit: limit).map {
      ArtifactDifference(place: $0.path, first: $0.old, second: $0.new)
    }
  }

  public func summary(ofFileAt path: String) throws -> [String] {
    let lines = try JSONFormat.read(path).prettyText.split(separator: "\n").map(String.init)
    return lines.count <= 60 ? lines : lines.prefix(60) + ["... (\(lines.count - 60) more lines)"]
  }
}
