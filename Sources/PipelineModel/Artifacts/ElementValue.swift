import Determinism

/// One element of what a stage is fanned out over: a value of a `json` array, or a file of a tree.
package enum ElementValue: Sendable, Equatable {
  case json(CanonicalValue)
  case file(TreeManifest.Entry)

  /// As which a stage reads it.
  package var artifact: Artifact {
    switch self {
    case .json(let value): Artifact(kind: JSONFormat.name, digest: value.digest)
    case .file(let entry): Artifact(kind: FileFormat.name, digest: entry.sha256)
    }
  }

  /// Instances of one stage at most: an array from somebody else must not fill the memory.
  package static let limit = 250_000

  package static func tooMany(_ count: Int, _ place: String) -> PipelineError {
    PipelineError(.badArtifact, "\(place): \(count) elements; for-each takes at most \(limit)")
  }

  /// The files of a tree, in the order of its manifest.
  package static func files(of manifest: TreeManifest, _ place: String) throws -> [ElementValue] {
    guard manifest.entries.count <= limit else { throw tooMany(manifest.entries.count, place) }
    return manifest.entries.map { .file($0) }
  }

  /// The kind of artifact that the elements of one of some kind are; nil for what has no elements.
  package static func kind(ofElementsOf kind: String) -> String? {
    switch kind {
    case JSONFormat.name: JSONFormat.name
    case TreeFormat.name: FileFormat.name
    default: nil
    }
  }
}
