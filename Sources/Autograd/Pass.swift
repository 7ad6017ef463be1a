import Tensors

/// One forward pass of a network, and its backward pass.
///
/// All effects of a pass, gradients and updates of running statistics, are collected here until the caller takes them.
/// So several passes over one network may run in parallel and be combined in a fixed order (numerics 4). The tape is
/// flat: entries are recorded in the order of computation and run in reverse, so contributions to a gradient are added in
/// reverse order of use, and releasing a long chain of operations does not recurse.
///
/// A pass belongs to one thread at a time.
public final class Pass {
  /// How layers such as batch normalisation and dropout behave.
  public enum Mode: Sendable {
    /// Batch statistics, dropout, gradients.
    case training
    /// Batch statistics, which update the running ones; no gradients and no dropout.
    case recalibration
    /// Running statistics; no gradients and no dropout.
    case evaluation
  }

  /// The behaviour of layers in this pass.
  public let mode: Mode
  /// The momentum with which this pass updates running statistics; nil for that of the layers.
  public var statisticsWeight: Double?
  private var tape: [Entry] = []
  /// The gradients of parameters.
  private var slots: [ObjectIdentifier: GradientSlot] = [:]
  /// Updates of running statistics in the order of the layers, until `takeStatistics`.
  private(set) var statistics: [StatisticsUpdate] = []
  /// Parameters in the order of their first use.
  private(set) var trainables: [Trainable] = []
  /// Whether the backward pass is recorded.
  private let records: Bool

  private struct Entry {
    let outputs: [GradientSlot]
    let backward: ([Tensor?]) -> Void
  }

  /// A pass that records a tape for `backward` in training mode only.
  public convenience init(mode: Mode) { self.init(mode: mode, records: mode == .training) }

  /// - Parameter records: false for a forward pass of training that is computed again for its backward pass
  ///   (`recomputed`).
  init(mode: Mode, records: Bool) {
    self.mode = mode
    self.records = records
  }

  /// A variable for data without a gradient.
  public func constant(_ value: Tensor) -> Variable {
    Variable(value, requiresGradient: false, pass: self)
  }

  /// A variable for data with a gradient, which `takeGradient(of:)` returns after `backward`.
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

  /// Computes the gradients of `loss` with respect to all parameters and inputs. Consumes the tape.
  /// - Precondition: `loss` has one element.
  public func backward(from loss: Variable) {
    precondition(loss.value.count == 1, "backward: the loss has shape \(loss.shape)")
    backward(from: loss, gradient: Tensor(repeating: 1, shape: loss.shape))
  }

  /// The same for an output of any shape with a given gradient.
  public func backward(from output: Variable, gradient: Tensor) {
    output.slot.accumulate(gradient)
    while let entry = tape.popLast() {
      // A result that the loss does not depend on has no gradient. A gradient is not needed after its entry has run.
      let gradients = entry.outputs.map { $0.take() }
      if gradients.contains(where: { $0 != nil }) { entry.backward(gradients) }
    }
  }

  /// Takes the gradient that `backward` computed for a parameter; nil where the loss does not depend on it.
  public func takeGradient(of trainable: Trainable) -> Tensor? {
    slots[ObjectIdentifier(trainable)]?.take()
  }

  /// The same for an `input`.
  public func takeGradient(of input: Variable) -> Tensor? { input.slot.take() }

  /// Defers an update of running statistics until `commitStatistics`.
  public func update(_ statistics: any RunningStatistics, by batch: BatchNormalization.BatchMoments, weight: Double) {
    self.statistics.append(StatisticsUpdate(layer: statistics, batch: batch, weight: weight))
  }

  func update(_ statistics: [StatisticsUpdate]) { self.statistics += statistics }

  /// Applies the deferred updates in the order of the layers.
  public func commitStatistics() {
    for update in takeStatistics() { update.apply() }
  }

  /// Takes the deferred updates out, for whoever applies them later.
  public func takeStatistics() -> [StatisticsUpdate] {
    defer { statistics = [] }
    return statistics
  }

  fileprivate func record(_ outputs: [GradientSlot], backward: @escaping ([Tensor?]) -> Void) {
    tape.append(Entry(outputs: outputs, backward: backward))
  }
}

/// The result of an operation. Its backward step is recorded where the pass trains and an input requires a gradient.
///
/// - Parameter backward: takes d loss / d result and accumulates the gradients of the inputs. It is kept until the
///   backward pass, so it captures gradient slots and the values that it reads, never variables.
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
