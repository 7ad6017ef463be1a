import Autograd
import Determinism
import Tensors

/// Stochastic gradient descent with momentum: v ← μ v + (g + λ p), p ← p - η v; the first v is g + λ p.
///
/// A parameter without a gradient is left alone: neither decayed nor moved (method 2.2), so choices that no path of a
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
  private let clipping: Double
  private var velocities: [Tensor?]

  /// - Parameter clipping: the root mean square of a gradient, times the parameter's rate factor, is at most this many
  ///   times that of the parameter's values (which count as at least 0.1); larger gradients are clipped. 0 clips
  ///   none. After Brock et al. 2021, section 4.1, for a whole parameter at a time.
  public init(
    _ parameters: [Parameter], momentum: Double, clipping: Double = 0, rule: (Parameter) -> Rule
  ) {
    self.clipping = clipping
    self.parameters = parameters
    self.rules = parameters.map(rule)
    self.momentum = momentum
    self.velocities = Array(repeating: nil, count: parameters.count)
  }

  /// One update; `gradients[i]` belongs to parameter `i`.
  public func step(gradients: [Tensor?], rate: Double) {
    precondition(
      gradients.count == parameters.count, "SGD: \(gradients.count) gradients, \(parameters.count) parameters")
    let factors = clippingFactors(gradients)
    for (i, parameter) in parameters.enumerated() {
      guard var gradient = gradients[i] else { continue }
      if let factor = factors[i] { gradient = Elementwise.scale(gradient, by: factor) }
      let rule = GradientDescent(
        rate: rate * rules[i].rateFactor, momentum: momentum, weightDecay: rules[i].weightDecay)
      rule.update(&parameter.value, velocity: &velocities[i], gradient: gradient)
    }
  }

  /// For each parameter the factor that clips its gradient; nil where nothing is clipped.
  private func clippingFactors(_ gradients: [Tensor?]) -> [Float?] {
    guard clipping > 0 else { return Array(repeating: nil, count: gradients.count) }
    // Sums of all before any is read: a device is waited for twice and not for each parameter.
    func rootMeanSquares(_ tensors: (Int) -> Tensor?) -> [Double?] {
      let sums = Reduction.sums(gradients.count) { tensors($0).map { Elementwise.multiply($0, $0) } }
      return sums.indices.map { i in sums[i].map { ($0 / Double(gradients[i]!.count)).squareRoot() } }
    }
    let sizes = rootMeanSquares { gradients[$0] }
    let values = rootMeanSquares { gradients[$0] == nil ? nil : parameters[$0].value }
    return gradients.indices.map { i in
      guard let size = sizes[i], let value = values[i] else { return nil }
      let limit = clipping * max(value, 0.1) / rules[i].rateFactor
      return size > limit ? Float(limit / size) : nil
    }
  }

  /// Velocities by parameter name, `velocity/` before it; parameters that were never updated have none.
  public var state: StateDictionary {
    StateDictionary(
      zip(parameters, velocities).compactMap { p, v in v.map { ("velocity/" + p.name, $0) } })
  }

  /// Restores what `state` gave.
  /// - Precondition: `check` finds nothing.
  public func load(_ state: StateDictionary) {
    let tensors = state.byName
    for (i, p) in parameters.enumerated() { velocities[i] = tensors[ByteName("velocity/" + p.name)] }
  }

  /// - Throws: `StateError` for a velocity of no parameter, or of another shape than its parameter.
  public func check(_ state: StateDictionary) throws {
    let shapes = Dictionary(
      parameters.map { (ByteName("velocity/" + $0.name), $0.value.shape) }, uniquingKeysWith: { first, _ in first })
    for (name, tensor) in state.entries where name.startsWithBytes(of: "velocity/") {
      guard let shape = shapes[ByteName(name)] else {
        throw StateError(description: "tensor '\(name)' is of no parameter of the network")
      }
      guard tensor.shape == shape else {
        throw StateError(description: "tensor '\(name)' has shape \(tensor.shape); the network needs \(shape)")
      }
    }
  }
}

/// Gradients of the passes of one update, summed in the order of the passes (numerics 4).
public struct GradientWindow {
  public let parameters: [Parameter]
  public private(set) var sums: [Tensor?]

  public init(_ parameters: [Parameter]) {
    self.parameters = parameters
    self.sums = Array(repeating: nil, count: parameters.count)
  }

  /// Takes the gradients of a pass that has run backward.
  public mutating func add(_ pass: Pass) {
    for (i, gradient) in pass.takeGradients(of: parameters).enumerated() {
      guard let gradient else { continue }
      if sums[i] == nil { sums[i] = gradient } else { Elementwise.accumulate(gradient, into: &sums[i]!) }
    }
  }

  /// Takes sums that were added up elsewhere.
  public mutating func replaceSums(_ sums: [Tensor?]) {
    precondition(sums.count == parameters.count, "GradientWindow: \(sums.count) sums of \(parameters.count) parameters")
    self.sums = sums
  }

  /// Multiplies the sums of some parameters.
  public mutating func scale(by factor: Float, where isIncluded: (Parameter) -> Bool) {
    for (i, parameter) in parameters.enumerated() where isIncluded(parameter) {
      sums[i] = sums[i].map { Elementwise.scale($0, by: factor) }
    }
  }

  /// Takes the sums of some parameters out, leaving none; nil for all others, as `SGD` expects.
  public mutating func take(where isIncluded: (Parameter) -> Bool) -> [Tensor?] {
    parameters.indices.map { i in
      guard isIncluded(parameters[i]) else { return nil }
      defer { sums[i] = nil }
      return sums[i]
    }
  }

  /// Makes the sum of `count` passes their mean.
  public mutating func average(over count: Int) {
    guard count > 1 else { return }
    for i in sums.indices { sums[i] = sums[i].map { Elementwise.scale($0, by: 1 / Float(count)) } }
  }
}

extension Pass {
  /// The gradient of each parameter; nil where the loss does not depend on it.
  public func takeGradients(of parameters: [Parameter]) -> [Tensor?] { parameters.map { takeGradient(of: $0) } }
}
