import Determinism

/// The files of a store that are not needed.
public struct Garbage: Sendable {
  public struct Item: Sendable {
    /// Relative to the store.
    public let path: String
    public let bytes: Int
    public let reason: String
  }

  /// In the order in which they are removed: records before the objects they name.
  public let items: [Item]
  public let keptRecords: Int
  public let keptBytes: Int
  let removedKeys: Set<Digest>

  public var bytes: Int { items.lazy.map(\.bytes).sumSaturated() }

  /// As JSON.
  public var canonical: CanonicalValue {
    [
      "bytes": .integer(bytes), "kept-records": .integer(keptRecords), "kept-bytes": .integer(keptBytes),
      "items": .array(
        items.map { ["path": .string($0.path), "bytes": .integer($0.bytes), "reason": .string($0.reason)] }),
    ]
  }
}
