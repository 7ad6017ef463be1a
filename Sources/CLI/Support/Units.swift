import Determinism
import Foundation

/// Numbers as text. Absurd ones, from a damaged or forged record, are shown as they are.
enum Units {
  /// `0.4 s`, `3 m 20 s`, `2 h 05 m`; from thirty years on `1e+300 s`.
  static func duration(_ seconds: Double) -> String {
    if seconds < 60 { return String(format: "%.1f s", seconds) }
    guard seconds < 1e9 else { return String(format: "%.3g s", seconds) }
    let whole = Int(saturating: seconds)
    if whole < 3600 { return String(format: "%d m %02d s", whole / 60, whole % 60) }
    return String(format: "%d h %02d m", whole / 3600, whole / 60 % 60)
  }

  /// As `duration`, in days where there are many hours: `2 h 05 m`, `12.5 days`.
  static func longDuration(_ seconds: Double) -> String {
    if seconds < 72 * 3600 { return duration(seconds) }
    let days = seconds / 86_400
    return String(format: days < 1e9 ? "%.1f days" : "%.3g days", days)
  }

  /// `3.2 G`: powers of ten.
  static func count(_ number: Double) -> String {
    var value = number
    for unit in ["", " k", " M", " G", " T", " P"] {
      if value < 999.95 { return String(format: unit.isEmpty ? "%.0f" : "%.1f", value) + unit }
      value /= 1000
    }
    return String(format: value < 1e6 ? "%.1f E" : "%.3g E", value)
  }

  /// `812 B`, `12.3 kB`, `107.5 MB`: powers of ten, as disks are sold.
  static func bytes(_ count: Int) -> String {
    if count < 1000 { return "\(count) B" }
    var value = Double(count) / 1000
    for unit in ["kB", "MB", "GB"] {
      if value < 999.95 { return String(format: "%.1f %@", value, unit) }
      value /= 1000
    }
    return String(format: "%.1f TB", value)
  }

  /// `1 stage`, `3 stages`.
  static func count(_ number: Int, _ noun: String) -> String { "\(number) \(noun)\(number == 1 ? "" : "s")" }

  /// Names that are longer stand out of their column; one of a million letters must not make a million spaces.
  private static let widest = 100

  /// The width of a column with such texts.
  static func width(_ texts: some Sequence<String>) -> Int { texts.map { min($0.count, widest) }.max() ?? 0 }

  static func pad(_ text: String, _ width: Int) -> String {
    text + String(repeating: " ", count: max(0, width - text.count))
  }
}
