/// Arithmetic on numbers that came from a file, an option or the system. Swift's own operators and conversions trap where
/// a result does not fit; nothing here does.

extension FixedWidthInteger {
  /// The sum; nil where it does not fit.
  public func addingChecked(_ other: Self) -> Self? {
    let (sum, overflow) = addingReportingOverflow(other)
    return overflow ? nil : sum
  }

  /// The difference; nil where it does not fit.
  public func subtractingChecked(_ other: Self) -> Self? {
    let (difference, overflow) = subtractingReportingOverflow(other)
    return overflow ? nil : difference
  }

  /// The product; nil where it does not fit.
  public func multipliedChecked(by other: Self) -> Self? {
    let (product, overflow) = multipliedReportingOverflow(by: other)
    return overflow ? nil : product
  }

  /// The sum, or the nearest value that fits.
  public func addingSaturated(_ other: Self) -> Self {
    addingChecked(other) ?? (other < 0 ? .min : .max)
  }

  /// The product, or the nearest value that fits.
  public func multipliedSaturated(by other: Self) -> Self {
    multipliedChecked(by: other) ?? ((self < 0) == (other < 0) ? .max : .min)
  }

  /// The nearest value that fits, rounded toward zero; 0 for NaN.
  public init(saturating value: some BinaryFloatingPoint) {
    if let exact = Self(exactly: value.rounded(.towardZero)) {
      self = exact
    } else {
      self = value.isNaN ? 0 : value < 0 ? .min : .max
    }
  }
}

extension Sequence where Element: FixedWidthInteger {
  /// The sum, or the nearest value that fits.
  public func sumSaturated() -> Element { reduce(0) { $0.addingSaturated($1) } }

  /// The sum; nil where it does not fit.
  public func sumChecked() -> Element? {
    var sum: Element = 0
    for value in self {
      guard let next = sum.addingChecked(value) else { return nil }
      sum = next
    }
    return sum
  }

  /// The product; nil where it does not fit.
  public func productChecked() -> Element? {
    var product: Element = 1
    for value in self {
      guard let next = product.multipliedChecked(by: value) else { return nil }
      product = next
    }
    return product
  }

  /// The product, or the nearest value that fits.
  public func productSaturated() -> Element { reduce(1) { $0.multipliedSaturated(by: $1) } }
}
