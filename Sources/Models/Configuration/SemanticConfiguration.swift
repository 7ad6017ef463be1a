import Determinism

/// The semantic head (method 3.6).
public struct SemanticConfiguration: Codable, Hashable, Sendable {
  /// Searched layers of each level's subnet.
  public var layers = 3
  /// Channels of the semantic features.
  public var channels = 128
  /// Which kind of head it is.
  public var head = SemanticHeadKind.recommended

  /// How levels share the weights of the searched layers.
  public enum Subnet: String, Switch {
    /// One set of weights for all levels, as the published code.
    case shared
    /// Weights for each level, the same operators: "subnets at each level" of the paper.
    case perLevel = "per-level"
    public static let recommended = Subnet.shared
  }
  /// Fidelity 20.
  public var subnet = Subnet.recommended

  /// How S2 to S5 become one.
  public enum Merge: String, Switch {
    case concatenate, add
    public static let recommended = Merge.concatenate
  }
  /// How levels join before they are classified: the published code's settings say `add`, and it concatenates
  /// (fidelity 21).
  public var merge = Merge.recommended

  /// How many levels are classified, from S2 on; nil for all four. Attention to things reads all levels anyhow.
  public var classifiedLevels: Int?

  public init() {}
}
