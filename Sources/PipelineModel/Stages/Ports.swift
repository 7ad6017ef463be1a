import Determinism

/// An artifact that a stage reads.
public struct InputPort: Hashable, Sendable {
  public let name: String
  /// Name of the artifact format.
  public let kind: String
  public let isOptional: Bool
  /// Whether the stage takes the artifacts of all instances of a fanned-out stage, in order.
  public let isList: Bool
  /// Of a list of artifacts from a grid: the values that each of them was made with, in order. Programs can read them,
  /// so they are in the key.
  package var elements: [CanonicalValue] = []

  public init(_ name: String, _ kind: String, optional: Bool = false, list: Bool = false) {
    self.name = name
    self.kind = kind
    self.isOptional = optional
    self.isList = list
  }
}

extension InputPort {
  /// The kind of a port that accepts any kind, one artifact or a list.
  package static let anyKind = "*"

  var takesAnything: Bool { kind == InputPort.anyKind }
}

/// An artifact that a stage writes.
public struct OutputPort: Hashable, Sendable {
  public let name: String
  /// Name of the artifact format.
  public let kind: String

  public init(_ name: String, _ kind: String) {
    self.name = name
    self.kind = kind
  }
}
