extension Double {
  /// The number with `digits` decimals, rounded half away from zero: the same text on every machine and in every locale.
  /// Numbers that are not finite or too large for that are given as `description`.
  public func text(digits: Int) -> String {
    guard isFinite, magnitude < 1e12, let scale = [Int](repeating: 10, count: max(0, digits)).productChecked(),
      let scaled = Int(exactly: (magnitude * Double(scale)).rounded())
    else { return description }
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
