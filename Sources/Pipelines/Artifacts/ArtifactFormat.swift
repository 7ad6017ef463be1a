import Determinism

/// How a kind of artifact is stored and what its digest is.
///
/// The digest is of the logical content: two files with equal content have equal digests, however they are compressed
/// or laid out.
public protocol ArtifactFormat: Sendable {
  /// The kind's name, as ports declare it.
  static var name: String { get }
  /// Ending of object files, without the dot.
  static var fileExtension: String { get }

  /// The logical digest of a file.
  /// - Throws: where the file is not of this format.
  func digest(ofFileAt path: String) throws -> Digest
  /// Where the contents of two files differ, in an order of their places that is always the same.
  /// - Parameter limit: how many differences are wanted at most.
  func differences(between a: String, and b: String, limit: Int) throws -> [ArtifactDifference]
  /// Lines that tell people what a file holds.
  func summary(ofFileAt path: String) throws -> [String]
}

extension ArtifactFormat {
  public func differences(between a: String, and b: String, limit: Int) throws -> [ArtifactDifference] { [] }
  public func summary(ofFileAt path: String) throws -> [String] { [] }
  var name: String { Self.name }
}

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
  var canonical: CanonicalValue {
    var members: [String: CanonicalValue] = ["kind": .string(kind), "digest": .string(digest.hex)]
    if isExternal { members["external"] = true }
    return .object(members)
  }

  init?(canonical value: CanonicalValue) {
    guard let kind = value["kind"]?.stringValue, let digest = value["digest"]?.stringValue.flatMap(Digest.init(hex:))
    else { return nil }
    let isExternal = value["external"]?.boolValue ?? false
    // Only of trees may the files lie elsewhere.
    guard !isExternal || kind == TreeFormat.name else { return nil }
    self.init(kind: kind, digest: digest, isExternal: isExternal)
  }
}
