import Tensors

/// The Euclidean norm of all gradients of an update: parameters in their order, each summed as a tensor is (numerics 5),
/// in binary64. It has the same bits whatever computes it.
public struct GradientNorm {
  private var squares = 0.0

  public init() {}

  /// Takes the gradients that an optimiser gets; parameters without one add nothing.
  public mutating func add(_ gradients: [Tensor?]) {
    for sum in Reduction.sumsOfSquares(gradients.count, of: { gradients[$0] }) { squares += sum ?? 0 }
  }

  public var value: Double { squares.squareRoot() }
}
