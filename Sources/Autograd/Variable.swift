import Tensors

/// A tensor that training changes. The optimiser replaces its value, never during a pass that uses it.
open class Trainable {
  /// The current value.
  public var value: Tensor

  public init(value: Tensor) { self.value = value }
}

/// A tensor in a differentiable computation.
///
/// Operations on variables compute their value at once and, where the pass records, also record their backward step.
public final class Variable {
  /// The result of the operation, computed at once.
  public let value: Tensor
  /// The pass that this variable belongs to. A variable keeps its pass alive; the pass holds no variables.
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

  /// The shape of the value.
  public var shape: Shape { value.shape }

  /// Whether gradients flow into this variable.
  public var requiresGradient: Bool { slot.isWanted }
}

/// Accumulates the gradient of a variable, d loss / d value.
///
/// A pass holds gradient slots, and of the values only those that its backward pass reads; it does not hold variables.
/// All other values are freed as soon as the forward pass no longer needs them.
final class GradientSlot {
  let shape: Shape
  /// Whether a gradient is accumulated.
  let isWanted: Bool
  /// Nil where nothing has contributed.
  private var sum: Tensor?

  init(shape: Shape, isWanted: Bool) {
    self.shape = shape
    self.isWanted = isWanted
  }

  /// Adds a contribution: the first is stored unchanged, later ones are added to it one by one (numerics 4).
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

  /// Returns the gradient and clears the slot; nil where nothing has contributed.
  func take() -> Tensor? {
    defer { sum = nil }
    return sum
  }
}
