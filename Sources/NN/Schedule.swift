import Determinism

/// Learning rate as a function of the iteration (method 2.2, 5.1, 8.1).
public struct Schedule: Codable, Hashable, Sendable {
  public enum Shape: String, Codable, Hashable, Sendable, CaseIterable {
    /// base · (1 - t / total), to zero at the end (method 2.2).
    case linear
    /// base · (1 + cos(π (t - warmup) / (total - warmup))) / 2 (method 5.1).
    case cosine
    /// base, divided by ten at each milestone (method 8.1).
    case step
  }

  public var shape: Shape
  /// The rate that the shape scales.
  public var base: Double
  /// Iterations of the whole training.
  public var total: Int
  /// Iterations over which the rate rises linearly from `warmupFactor` times its value.
  public var warmup: Int
  public var warmupFactor: Double
  /// Iterations at which `step` divides by ten.
  public var milestones: [Int]

  public init(
    _ shape: Shape, base: Double, total: Int, warmup: Int = 0, warmupFactor: Double = 0.1, milestones: [Int] = []
  ) {
    self.shape = shape
    self.base = base
    self.total = total
    self.warmup = warmup
    self.warmupFactor = warmupFactor
    self.milestones = milestones
  }

  /// The rate of iteration `t`, computed in binary64.
  public func rate(at t: Int) -> Double {
    switch shape {
    case .linear:
      return base * (1 - Double(t) / Double(total)) * warmupRate(t)
    case .cosine:
      guard t >= warmup, total > warmup else { return base * warmupRate(t) }
      let phase = Double(min(t, total) - warmup) / Double(total - warmup)
      return base * (1 + PortableMath.cos(Double.pi * phase)) / 2
    case .step:
      let passed = milestones.count { $0 <= t }
      return (0..<passed).reduce(base) { rate, _ in rate * 0.1 } * warmupRate(t)
    }
  }

  private func warmupRate(_ t: Int) -> Double {
    guard t < warmup else { return 1 }
    let alpha = Double(t) / Double(warmup)
    return warmupFactor * (1 - alpha) + alpha
  }
}
