import Determinism

/// Defines how a kind of artifact is stored and what its digest is.
///
/// The digest is of the logical content: two files with equal content have equal digests, however they are compressed
/// or laid out.
public protocol ArtifactFormat: Sendable {
  /// The kind's name, as ports declare it.
  static var name: String { get }
  /// File name extension of objects, without the dot.
  static var fileExtension: String { get }
  /// That of copies outside of a store, and of inputs of commands.
  static var outsideExtension: String { get }

  /// The logical digest of a file.
  /// - Throws: where the file is not of this format.
  func digest(ofFileAt path: String) throws -> Digest
  /// Where the contents of two files differ, in an order of their places that is always the same.
  /// - Parameter limit: how many differences are wanted at most.
  func differences(between a: String, and b: String, limit: Int) throws -> [ArtifactDifference]
  /// A summary of a file's content, as lines of text.
  func summary(ofFileAt path: String) throws -> [String]
}

extension ArtifactFormat {
  public static var outsideExtension: String { fileExtension }
  public func differences(between a: String, and b: String, limit: Int) throws -> [ArtifactDifference] { [] }
  public func summary(ofFileAt path: String) throws -> [String] { [] }
  package var name: String { Self.name }
}
