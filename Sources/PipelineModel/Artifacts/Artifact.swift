import Determinism

/// An artifact in the store, by its kind and content.
public struct Artifact: Hashable, Sendable, Comparable {
  public let kind: String
  public let digest: Digest
  /// Whether only the manifest is stored, and the files lie in a source's folder.
  public let isExternal: Bool

  public init(kind: String, digest: Digest, isExternal: Bool = false) {
    self.kind = kind
    self.digest = digest
    self.isExternal = isExternal
  }

  public static func < (a: Artifact, b: Artifact) -> Bool {
    a.kind.hasSameBytes(as: b.kind) ? a.digest < b.digest : a.kind.precedesInBytes(b.kind)
  }
}

extension Artifact {
  /// Whether its file is canonical JSON.
  public var holdsJSON: Bool { JSONFormat.kinds.contains(kind) }

  package var canonical: CanonicalValue {
    var members: [String: CanonicalValue] = ["kind": .string(kind), "digest": .string(digest.hex)]
    if isExternal { members["external"] = true }
    return .object(members)
  }

  package init?(canonical value: CanonicalValue) {
    guard let kind = value["kind"]?.stringValue, let digest = value["digest"]?.stringValue.flatMap(Digest.init(hex:))
    else { return nil }
    let isExternal = value["external"]?.boolValue ?? false
    // Only of trees may the files lie elsewhere.
    guard !isExternal || kind == TreeFormat.name else { return nil }
    self.init(kind: kind, digest: digest, isExternal: isExternal)
  }
}
