import Determinism

/// The result of an audit.
public struct AuditReport: Sendable {
  public struct Finding: Sendable {
    public enum Kind: String, Sendable {
      /// Something that a record or the index names is missing.
      case missing
      /// Bytes are not those that were written.
      case corrupt
      /// Two things contradict each other.
      case mismatching
      /// Nothing needs it, as after a crash. Not a problem.
      case orphaned
      /// No trusted key has signed it.
      case unsigned
      /// It could not be read.
      case unreadable
    }

    public let kind: Kind
    /// The file, relative to the store where it lies in it.
    public let path: String
    /// One sentence, with the stage and output concerned.
    public let message: String

    public var isProblem: Bool { kind != .orphaned }
  }

  /// Problems first, then by path.
  public let findings: [Finding]
  public let records: Int
  public let objects: Int
  public let bytes: Int
  /// Of an audit of one pipeline that is up to date.
  public let root: Digest?
  /// Of an audit with trusted keys: every artifact that a record made.
  public let signed: [Signed]

  public var isSound: Bool { !findings.contains { $0.isProblem } }

  public var canonical: CanonicalValue {
    [
      "signed": .array(signed.map(\.canonical)),
      "sound": .bool(isSound), "records": .integer(records), "objects": .integer(objects), "bytes": .integer(bytes),
      "root": root.map { .string($0.hex) } ?? .null,
      "findings": .array(
        findings.map {
          ["kind": .string($0.kind.rawValue), "path": .string($0.path), "message": .string($0.message)]
        }),
    ]
  }
}
