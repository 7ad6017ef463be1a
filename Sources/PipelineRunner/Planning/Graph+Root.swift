import Determinism
import PipelineModel

extension Graph {
  /// The digest over all artifacts of a complete pipeline: the sorted unique triples of key, output and content. Bound
  /// to what made them, and free of the names in the file.
  package var root: Digest? {
    guard isComplete else { return nil }
    var triples = Set<RootEntry>()
    for slot in wanted.flatMap({ instances(of: $0) }) {
      guard let instance = slot.instance else { continue }
      for (port, artifact) in slot.outputs ?? [:] {
        triples.insert(RootEntry(key: instance.key, port: port, digest: artifact.digest))
      }
    }
    return CanonicalValue.array(triples.sorted().map(\.canonical)).digest
  }

  private struct RootEntry: Hashable, Comparable {
    let key: Digest
    let port: String
    let digest: Digest

    static func < (a: RootEntry, b: RootEntry) -> Bool {
      if a.key != b.key { return a.key < b.key }
      return a.port.hasSameBytes(as: b.port) ? a.digest < b.digest : a.port.precedesInBytes(b.port)
    }

    var canonical: CanonicalValue { .array([.string(key.hex), .string(port), .string(digest.hex)]) }
  }
}
