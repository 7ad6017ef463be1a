import Determinism

/// Inter-modular attention (method 4).
public struct AttentionConfiguration: Codable, Hashable, Sendable {
  /// Whether the network has attention at all.
  public var enabled = true
  /// Reduction ratio of each choice. The published code computes 6 where its name says 16 (fidelity 1).
  public var ratios = [4, 8, 6]

  /// The pyramid levels that things are summarised from.
  public enum Source: String, Switch {
    case upperLevels = "p3-p6"
    case allLevels = "p2-p6"
    public static let recommended = Source.upperLevels
  }
  /// The pyramid levels whose means are the input of the layers from things to stuff; the published code leaves P2 out
  /// (fidelity 2).
  public var source = Source.recommended

  /// The order of activations in a layer.
  public enum Activations: String, Switch {
    /// 1 - sigmoid(W₁ · ReLU(W₂ z)), as the published code.
    case reluInside = "relu-inside"
    /// ReLU(W₁ · (1 - sigmoid(W₂ z))), as the paper's equation reads.
    case reluOutside = "relu-outside"
    public static let recommended = Activations.reluInside
  }
  /// Fidelity 4.
  public var activations = Activations.recommended

  /// The readers of re-weighted levels.
  public enum Target: String, Switch {
    /// Proposals, boxes and masks read re-weighted levels, as in the published code.
    case allHeads = "all-heads"
    /// Proposals alone: "RPN features" of the paper.
    case proposals
    public static let recommended = Target.allHeads
  }
  /// Which heads read the levels that the semantic features re-weighted (fidelity 5).
  public var target = Target.recommended

  public init() {}
}
