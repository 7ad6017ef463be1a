/// P-values of tests that are made together.
public enum MultipleTests {
  /// Adjusted after Holm 1979: the chance that any true hypothesis is refuted is at most the value at which one would be.
  /// In the order given.
  public static func holm(_ pValues: [Double]) -> [Double] {
    let order = pValues.indices.sorted { (pValues[$0], $0) < (pValues[$1], $1) }
    var adjusted = pValues
    var greatest = 0.0
    for (place, i) in order.enumerated() {
      greatest = max(greatest, min(1, pValues[i] * Double(pValues.count - place)))
      adjusted[i] = greatest
    }
    return adjusted
  }
}
