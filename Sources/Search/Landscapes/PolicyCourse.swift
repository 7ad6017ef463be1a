/// How good the model is that a policy would return after so many evaluations.
public struct PolicyCourse: Codable, Hashable, Sendable {
  /// See `LandscapeTrial`.
  public var policy: String
  /// Ascending.
  public var evaluations: [Int]
  /// The optimum's fitness minus the model's, both without noise, in standard deviations of random models.
  public var regret: [Double]

  public init(policy: String, evaluations: [Int] = [], regret: [Double] = []) {
    (self.policy, self.evaluations, self.regret) = (policy, evaluations, regret)
  }

  mutating func add(_ evaluations: Int, regret: Double) {
    self.evaluations.append(evaluations)
    self.regret.append(regret)
  }
}
