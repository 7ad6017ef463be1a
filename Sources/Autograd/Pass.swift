import Tensors

/// One forward pass of a network, and its backward pass.
///
/// Everything that a pass changes - gradients, running statistics - is kept here until it is asked for. So several
/// passes over one network may run in parallel and be folded in their order (numerics rule 4). The tape is flat:
/// entries are in the order of computation and run in reverse, so contributions to one gradient add in reverse order of
/// use, and no chain of references is deep enough to overflow a stack.
///
/// A pass belongs to one thread at a time.
public final class Pass {
  /// How layers with two behaviours act.
  public enum Mode: Sendable {
    /// Batch statistics, dropout, gradients.
    case training
    /// Batch statistics are gathered into the running ones; there are no gradients and no dropout.
    case recalibration
    /// Running statistics.
    case evaluation
  }

  /// How layers with several behaviours act.
  public let mode: Mode
  /// The weight of this pass in running statistics, in place of what the layers say.
  public var statisticsWeight: Double?
  private var tape: [Entry] = []
  /// The gradients of parameters.
  private var slots: [ObjectIdentifier: GradientSlot] = [:]
  private(set) var statistics: [() -> Void] = []
  /// Parameters in the order of their first use.
  private(set) var trainables: [Trainable] = []
  /// Whether the backward pass is recorded.
  private let records: Bool

  private struct Entry {
    let outputs: [GradientSlot]
    let backward: ([Tensor?]) -> Void
  }

  public convenience init(mode: Mode) { self.init(mode: mode, records: mode == .training) }

  /// - Parameter records: false for a forward pass of training that is computed again for its backward pass
  ///   (`recomputed`).
  init(mode: Mode, records: Bool) {
    self.mode = mode
    self.records = records
  }

  /// Brings data into the pass; no gradient flows to it.
  public func constant(_ value: Tensor) -> Variable {
    Variable(value, requiresGradient: false, pass: self)
  }

  /// Brings in data whose gradient is wanted; `gradient(of:)` gives it after `backward`.
  public func input(_ value: Tensor) -> Variable {
    Variable(value, requiresGradient: records, pass: self)
  }

  /// The variable of a parameter in this pass. Gradients of all its uses add up.
  public func use(_ trainable: Trainable) -> Variable {
    let id = ObjectIdentifier(trainable)
    if let known = slots[id] { return Variable(trainable.value, slot: known, pass: self) }
    let leaf = Variable(trainable.value, requiresGradient: records, pass: self)
    slots[id] = leaf.slot
    trainables.append(trainable)
    return leaf
  }

  /// Finds the gradient of `loss` with respect to everything it depends on. The tape is used up.
  /// - Precondition: `loss` has one element.
  public func backward(from loss: Variable) {
    precondition(loss.value.count == 1, "backward: the loss has shape \(loss.shape)")
    backward(from: loss, gradient: Tensor(repeating: 1, shape: loss.shape))
  }

  /// The same from a result of any shape and the gradient that flows into it.
  public func backward(from output: Variable, gradient: Tensor) {
    output.slot.accumulate(gradient)
    while let entry = tape.popLast() {
      // A result that the loss does not depend on has no gradient. One that has been used is not needed again.
      let gradients = entry.outputs.map { $0.take() }
      if gradients.contains(where: { $0 != nil }) { entry.backward(gradients) }
    }
  }

  /// The gradient that `backward` left at a parameter, taken out; nil where the loss does not depend on it.
  public func takeGradient(of trainable: Trainable) -> Tensor? {
    slots[ObjectIdentifier(trainable)]?.take()
  }

  /// The same for an `input`.
  public func takeGradient(of input: Variable) -> Tensor? { input.slot.take() }

  /// Holds back an update of running statistics until `commitStatistics`.
  public func updateStatistics(_ update: @escaping () -> Void) { statistics.append(update) }

  /// Applies the held-back updates in the order of the layers.
  public func commitStatistics() {
    for update in statistics { update() }
    statistics = []
  }

  fileprivate func record(_ outputs: [GradientSlot], backward: @escaping ([Tensor?]) -> Void) {
    tape.append(Entry(outputs: outputs, backward: backward))
  }
}

/// The result of an operation: recorded with its backward step where the pass trains and an input asks for it.
///
/// - Parameter backward: takes d loss / d result and adds to the gradients of the inputs. It lives until the backward
///   pass, so it captures slots and the values that it reads, never variables.
func result(_ value: Tensor, of inputs: [Variable], backward: @escaping (Tensor) -> Void) -> Variable {
  results([value], of: inputs) { backward($0[0]!) }[0]
}

/// The same for an operation with several results; a gradient is nil where the loss does not depend on that result.
func results(_ values: [Tensor], of inputs: [Variable], backward: @escaping ([Tensor?]) -> Void) -> [Variable] {
  let pass = inputs[0].pass
  let records = pass.mode == .training && inputs.contains(where: \.requiresGradient)
  let outputs = values.map { Variable($0, requiresGradient: records, pass: pass) }
  if records { pass.record(outputs.map(\.slot), backward: backward) }
  return outputs
}
