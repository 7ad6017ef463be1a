import Determinism

/// Amounts as people write them: memory and times.
public enum ResourceAmounts {
  /// More than any machine has, so that no sum of such amounts overflows.
  private static let mostBytes = 1 << 52
  /// Some 30 years.
  private static let mostSeconds = 1_000_000_000

  /// Bytes of `16G`, `1.5T`, `500M`, `64K` or `4096`; units are powers of 1024, as in Slurm. Nil for anything else.
  public static func bytes(_ text: String) -> Int? {
    let units: [Character: Double] = ["K": 0x1p10, "M": 0x1p20, "G": 0x1p30, "T": 0x1p40]
    var digits = Substring(text)
    var unit = 1.0
    if let last = digits.last, let factor = units[last] {
      unit = factor
      digits = digits.dropLast()
    }
    guard let number = plainNumber(digits) else { return nil }
    let bytes = number * unit
    guard bytes >= 1, bytes <= Double(mostBytes), unit > 1 || bytes == bytes.rounded() else { return nil }
    return Int(bytes)
  }

  /// Seconds of `90s`, `45m`, `12h`, `2d`, `1d12h` or `36:00:00` (hours, minutes, seconds). Nil for anything else; a
  /// number without a unit could mean any of them.
  public static func seconds(_ text: String) -> Int? {
    let found = text.contains(":") ? clockSeconds(text) : unitSeconds(text)
    guard let found, found >= 1, found <= Double(mostSeconds) else { return nil }
    return Int(found)
  }

  private static func clockSeconds(_ text: String) -> Double? {
    let parts = text.split(separator: ":", omittingEmptySubsequences: false)
    guard parts.count == 3, parts.allSatisfy({ $0.allSatisfy(\.isASCIIDigit) }), let hours = plainNumber(parts[0]),
      let minutes = plainNumber(parts[1]), let seconds = plainNumber(parts[2]), minutes < 60, seconds < 60
    else { return nil }
    return hours * 3600 + minutes * 60 + seconds
  }

  private static func unitSeconds(_ text: String) -> Double? {
    let units: [(Character, Double)] = [("d", 86_400), ("h", 3600), ("m", 60), ("s", 1)]
    var rest = Substring(text)
    var sum = 0.0
    var next = 0
    while !rest.isEmpty {
      let digits = rest.prefix { $0.isASCIIDigit || $0 == "." }
      rest = rest.dropFirst(digits.count)
      guard let number = plainNumber(digits), let letter = rest.popFirst(),
        let unit = units[next...].firstIndex(where: { $0.0 == letter })
      else { return nil }
      sum += number * units[unit].1
      next = unit + 1
    }
    return sum
  }

  /// A decimal number of few digits, without sign or exponent.
  private static func plainNumber(_ text: Substring) -> Double? {
    guard !text.isEmpty, text.utf8.count <= 15, text.allSatisfy({ $0.isASCIIDigit || $0 == "." }) else { return nil }
    return Double(text)
  }
}

extension Character {
  fileprivate var isASCIIDigit: Bool { isASCII && isNumber }
}
