/// What every choice of every layer was worth to the models that have it: sums and means.
///
/// Where models are strictly fair, all choices of a layer occur equally often, and the greatest sum is the greatest mean.
public struct ChoiceTally: Sendable {
  private var sums: [[Double]]
  private var counts: [[Int]]

  public init(space: SearchSpace) {
    sums = space.choicesPerLayer.map { [Double](repeating: 0, count: $0) }
    counts = sums.map { $0.map { _ in 0 } }
  }

  public mutating func add(_ genome: Genome, worth: Double) {
    for (layer, choice) in genome.choices.enumerated() {
      sums[layer][choice] += worth
      counts[layer][choice] += 1
    }
  }

  /// What the model is made of.
  public enum Rule: Sendable {
    case sum
    /// Choices that no model has come last.
    case mean
  }

  /// The best choice of every layer; ties go to the lower choice.
  public func selection(by rule: Rule) -> Genome {
    Genome(
      zip(sums, counts).map { sums, counts in
        let values = zip(sums, counts).map { sum, count in
          rule == .sum ? sum : count > 0 ? sum / Double(count) : -.infinity
        }
        return values.indices.reduce(0) { values[$1] > values[$0] ? $1 : $0 }
      })
  }
}
