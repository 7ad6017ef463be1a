extension Float {
  /// With a fixed number of digits after the point; the same everywhere, whatever the locale.
  func text(digits: Int) -> String { Double(self).text(digits: digits) }
}

extension Double {
  /// With a fixed number of digits after the point; the same everywhere, whatever the locale.
  func text(digits: Int) -> String {
    guard isFinite, magnitude < 1e15 else { return description }
    var scale = 1
    for _ in 0..<digits { scale *= 10 }
    let scaled = Int((magnitude * Double(scale)).rounded())
    let fraction = String(scaled % scale)
    let sign = self < 0 && scaled != 0 ? "-" : ""
    let zeros = String(repeating: "0", count: max(0, digits - fraction.count))
    return digits == 0 ? "\(sign)\(scaled)" : "\(sign)\(scaled / scale).\(zeros)\(fraction)"
  }
}
