import Tensors

/// A tensor that training changes. Its value is replaced by the optimiser, never while a pass that uses it is open.
open class Trainable {
  public var value: Tensor

  public init(value: Tensor) { self.value = value }
}

/// A tensor in a computation that may be differentiated.
///
/// Operations on variables compute at once and, where the pass records, leave behind how their gradient is found.
public final class Variable {
  public let value: Tensor
  /// Whether gradients flow into this variable.
  public let requiresGradient: Bool
  /// The pass that it belongs to. Unowned, since the pass holds its variables; a pass outlives its forward run.
  public unowned let pass: Pass
  /// d loss / d value as far as collected; nil where nothing has contributed.
  private(set) var gradient: Tensor?

  init(_ value: Tensor, requiresGradient: Bool, pass: Pass) {
    self.value = value
    self.requiresGradient = requiresGradient
    self.pass = pass
  }

  public var shape: Shape { value.shape }

  /// Adds a contribution: the first is kept as it is, later ones join by one addition each (numerics rule 4).
  func accumulate(_ contribution: @autoclosure () -> Tensor) {
    guard requiresGradient else { return }
    let contribution = contribution()
    precondition(contribution.shape == shape, "gradient \(contribution.shape) of a variable \(shape)")
    if gradient == nil {
      gradient = contribution
    } else {
      Elementwise.accumulate(contribution, into: &gradient!)
    }
  }

  /// Takes the gradient out, leaving none.
  func takeGradient() -> Tensor? {
    defer { gradient = nil }
    return gradient
  }
}
