import Foundation

/// Numbers for people.
enum Units {
  /// `0.4 s`, `3 m 20 s`, `2 h 05 m`.
  static func duration(_ seconds: Double) -> String {
    if seconds < 60 { return String(format: "%.1f s", seconds) }
    let whole = Int(min(seconds, 1e9))
    if whole < 3600 { return String(format: "%d m %02d s", whole / 60, whole % 60) }
    return String(format: "%d h %02d m", whole / 3600, whole / 60 % 60)
  }

  /// As `duration`, in days where there are many hours: `2 h 05 m`, `12.5 days`.
  static func longDuration(_ seconds: Double) -> String {
    seconds < 72 * 3600 ? duration(seconds) : String(format: "%.1f days", seconds / 86_400)
  }

  /// `3.2 G`: powers of ten.
  static func count(_ number: Double) -> String {
    var value = number
    for unit in ["", " k", " M", " G", " T", " P"] {
      if value < 999.95 { return String(format: unit.isEmpty ? "%.0f" : "%.1f", value) + unit }
      value /= 1000
    }
    return String(format: "%.1f E", value)
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

  static func pad(_ text: String, _ width: Int) -> String {
    text + String(repeating: " ", count: max(0, width - text.count))
  }
}
