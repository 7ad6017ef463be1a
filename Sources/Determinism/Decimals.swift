extension Double {
  /// With a fixed number of digits after the point, rounded half away from zero; the same text on every machine and in
  /// every locale.
  public func text(digits: Int) -> String {
    guard isFinite, magnitude < 1e12 else { return description }
    var scale = 1
    for _ in 0..<digits { scale *= 10 }
    let scaled = Int((magnitude * Double(scale)).rounded())
    let fraction = String(scaled % scale)
    let sign = self < 0 && scaled != 0 ? "-" : ""
    let zeros = String(repeating: "0", count: max(0, digits - fraction.count))
    return digits == 0 ? "\(sign)\(scaled)" : "\(sign)\(scaled / scale).\(zeros)\(fraction)"
  }
}

extension Float {
  /// See `Double.text(digits:)`.
  public func text(digits: Int) -> String { Double(self).text(digits: digits) }
}
