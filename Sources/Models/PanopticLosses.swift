import Autograd

/// The six losses of one batch (method 3.8). Each is one number.
public struct PanopticLosses {
  /// Binary cross-entropy of the sampled anchors.
  public var objectness: Variable
  /// Smooth L1 of the foreground anchors' box deltas.
  public var proposalBox: Variable
  /// Cross-entropy of the sampled regions' classes.
  public var classification: Variable
  /// Smooth L1 of the foreground regions' box deltas.
  public var box: Variable
  /// Binary cross-entropy of the foreground regions' masks.
  public var mask: Variable
  /// Cross-entropy of the labelled pixels' classes.
  public var semantic: Variable
  /// Their weighted sum, which training minimises.
  public var total: Variable

  /// In the order of `values`.
  public static let names = ["objectness", "proposal box", "class", "box", "mask", "semantic", "total"]

  /// The value of each, then of their sum.
  public var values: [Float] {
    [objectness, proposalBox, classification, box, mask, semantic, total].map(\.value.item)
  }

  /// Name and value of each, for progress lines and the check that they are finite.
  public var named: [(name: String, value: Float)] { Array(zip(PanopticLosses.names, values).dropLast()) }
}
