import Autograd
import Tensors

/// Stochastic gradient descent with momentum: v ← μ v + (g + λ p), p ← p - η v; the first v is g + λ p.
///
/// A parameter without a gradient is left alone: neither decayed nor moved (spec 2.2), so choices that no path of a
/// window used keep their values and velocities.
public final class SGD {
  /// How one parameter is treated.
  public struct Rule: Hashable, Sendable {
    /// Multiplies the scheduled rate.
    public var rateFactor: Double
    public var weightDecay: Double

    public init(rateFactor: Double = 1, weightDecay: Double) {
      self.rateFactor = rateFactor
      self.weightDecay = weightDecay
    }
  }

  private let parameters: [Parameter]
  private let rules: [Rule]
  private let momentum: Double
  private var velocities: [Tensor?]

  public init(_ parameters: [Parameter], momentum: Double, rule: (Parameter) -> Rule) {
    self.parameters = parameters
    self.rules = parameters.map(rule)
    self.momentum = momentum
    self.velocities = Array(repeating: nil, count: parameters.count)
  }

  /// One update; `gradients[i]` belongs to parameter `i`.
  public func step(gradients: [Tensor?], rate: Double) {
    precondition(
      gradients.count == parameters.count, "SGD: \(gradients.count) gradients, \(parameters.count) parameters")
    for (i, parameter) in parameters.enumerated() {
      guard let gradient = gradients[i] else { continue }
      let rule = GradientDescent(
        rate: rate * rules[i].rateFactor, momentum: momentum, weightDecay: rules[i].weightDecay)
      rule.update(&parameter.value, velocity: &velocities[i], gradient: gradient)
    }
  }

  /// Velocities by parameter name, `velocity/` before it; parameters that were never updated have none.
  public var state: StateDictionary {
    StateDictionary(
      zip(parameters, velocities).compactMap { p, v in v.map { ("velocity/" + p.name, $0) } })
  }

  /// Restores what `state` gave.
  public func load(_ state: StateDictionary) {
    let tensors = Dictionary(state.entries.map { ($0.name, $0.tensor) }, uniquingKeysWith: { first, _ in first })
    for (i, p) in parameters.enumerated() { velocities[i] = tensors["velocity/" + p.name] }
  }
}

/// Gradients of the passes of one update, summed in the order of the passes (numerics rule 4).
public struct GradientWindow {
  public let parameters: [Parameter]
  public private(set) var sums: [Tensor?]

  public init(_ parameters: [Parameter]) {
    self.parameters = parameters
    self.sums = Array(repeating: nil, count: parameters.count)
  }

  /// Takes the gradients of a pass that has run backward.
  public mutating func add(_ pass: Pass) {
    for (i, parameter) in parameters.enumerated() {
      guard let gradient = pass.takeGradient(of: parameter) else { continue }
      if sums[i] == nil { sums[i] = gradient } else { Elementwise.accumulate(gradient, into: &sums[i]!) }
    }
  }

  public mutating func clear() {
    for i in sums.indices { sums[i] = nil }
  }
}
