import Tensors

/// A tensor that training changes. Its value is replaced by the optimiser, never while a pass that uses it is open.
open class Trainable {
  public var value: Tensor

  public init(value: Tensor) { self.value = value }
}

/// A tensor in a computation that may be differentiated.
///
/// Operations on variables compute at once and, where the pass records, also record their backward step.
public final class Variable {
  /// The result of the operation, computed at once.
  public let value: Tensor
  /// The pass that it belongs to. A variable keeps its pass alive; the pass holds no variable.
  public let pass: Pass
  let slot: GradientSlot

  convenience init(_ value: Tensor, requiresGradient: Bool, pass: Pass) {
    self.init(value, slot: GradientSlot(shape: value.shape, isWanted: requiresGradient), pass: pass)
  }

  init(_ value: Tensor, slot: GradientSlot, pass: Pass) {
    self.value = value
    self.slot = slot
    self.pass = pass
  }

  public var shape: Shape { value.shape }

  /// Whether gradients flow into this variable.
  public var requiresGradient: Bool { slot.isWanted }
}

/// Where d loss / d value of a variable collects.
///
/// A pass holds slots, and of the values only those that its backward pass needs; it does not hold variables. All other
/// values are freed as soon as the forward pass is done with them.
final class GradientSlot {
  let shape: Shape
  /// Whether gradients flow here.
  let isWanted: Bool
  /// Nil where nothing has contributed.
  private var sum: Tensor?

  init(shape: Shape, isWanted: Bool) {
    self.shape = shape
    self.isWanted = isWanted
  }

  /// Adds a contribution: the first is kept as it is, later ones join by one addition each (numerics rule 4).
  func accumulate(_ contribution: @autoclosure () -> Tensor) {
    guard isWanted else { return }
    let contribution = contribution()
    precondition(contribution.shape == shape, "gradient \(contribution.shape) of a variable \(shape)")
    if sum == nil {
      sum = contribution
    } else {
      Elementwise.accumulate(contribution, into: &sum!)
    }
  }

  /// Takes the gradient out, leaving none.
  func take() -> Tensor? {
    defer { sum = nil }
    return sum
  }
}
