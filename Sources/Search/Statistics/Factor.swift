/// Something that models differ in, and that may explain what they are worth.
public struct Factor: Hashable, Sendable {
  /// Such as `semantic layer 1` or `semantic: number of DF layers`.
  public let name: String
  /// The names of the levels; of a number, `0`, `1` and so on.
  public let levels: [String]
  /// The level of each model.
  public let values: [Int]
  /// Whether the level is a number whose effect is linear. Else each level has an effect of its own.
  public let isNumber: Bool

  /// - Precondition: every value is a level.
  public init(_ name: String, levels: [String], values: [Int], isNumber: Bool = false) {
    precondition(values.allSatisfy(levels.indices.contains), "Factor \(name): a value that is no level")
    (self.name, self.levels, self.values, self.isNumber) = (name, levels, values, isNumber)
  }

  /// A number, such as of layers.
  public init(_ name: String, numbers: [Int]) {
    self.init(name, levels: (0...max(0, numbers.max() ?? 0)).map(String.init), values: numbers, isNumber: true)
  }

  /// What a linear model has of it: the number, or a column for each level that occurs.
  var columns: [[Double]] {
    if isNumber { return [values.map(Double.init)] }
    return Set(values).sorted().map { level in values.map { $0 == level ? 1 : 0 } }
  }

  /// The mean of the models of one level.
  public struct LevelMean: Hashable, Sendable {
    public let level: Int
    public let models: Int
    public let mean: Double
    /// From the spread of models inside all levels; nil where no level has two models.
    public let standardError: Double?
    /// 95 %, by Student's t.
    public let interval: ConfidenceInterval?
  }

  /// Means by level, of the levels that occur.
  /// - Precondition: a quality of each model.
  public func means(of qualities: [Double]) -> [LevelMean] {
    precondition(qualities.count == values.count, "Factor \(name): \(qualities.count) qualities")
    let found = Set(values).sorted().map { level -> (level: Int, own: [Double], mean: Double) in
      let own = zip(qualities, values).filter { $0.1 == level }.map(\.0)
      return (level, own, own.reduce(0, +) / Double(own.count))
    }
    let degrees = values.count - found.count
    let squares = found.reduce(0) { sum, group in
      group.own.reduce(sum) { $0 + ($1 - group.mean) * ($1 - group.mean) }
    }
    return found.map { group in
      let error = degrees > 0 ? (squares / Double(degrees) / Double(group.own.count)).squareRoot() : nil
      return LevelMean(
        level: group.level, models: group.own.count, mean: group.mean, standardError: error,
        interval: error.map { ConfidenceInterval(group.mean, standardError: $0, degreesOfFreedom: degrees) })
    }
  }
}
