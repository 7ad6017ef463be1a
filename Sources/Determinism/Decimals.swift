extension Double {
  /// With a fixed number of digits after the point, rounded half away from zero; the same text on every machine and in
  /// every locale.
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
