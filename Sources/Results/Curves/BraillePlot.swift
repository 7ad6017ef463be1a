import Determinism

/// A curve in braille characters, each of two by four dots, for terminals.
public enum BraillePlot {
  /// The bits of the dots in a character, by column and row.
  private static let dots: [[UInt32]] = [[0x01, 0x02, 0x04, 0x40], [0x08, 0x10, 0x20, 0x80]]

  /// - Parameters:
  ///   - points: with rising `x`; values that are not finite are left out.
  ///   - width: characters of a line.
  ///   - height: lines.
  /// - Returns: `height` lines of `width` characters, the largest value on top.
  public static func lines(_ points: [(x: Double, y: Double)], width: Int, height: Int = 1) -> [String] {
    precondition(width > 0 && height > 0, "BraillePlot: \(width) x \(height)")
    let points = points.filter { $0.x.isFinite && $0.y.isFinite }
    let (columns, rows) = (2 * width, 4 * height)
    var cells = [[UInt32]](repeating: [UInt32](repeating: 0, count: width), count: height)
    let values = joined(means(points, columns))
    guard let least = values.compactMap(\.self).min(), let most = values.compactMap(\.self).max() else {
      return cells.map { _ in String(repeating: " ", count: width) }
    }
    var last: Int?
    for (column, value) in values.enumerated() {
      guard let value else { continue }
      let share = most > least ? (value / 2 - least / 2) / (most / 2 - least / 2) : 0.5
      let row = rows - 1 - Int(saturating: (share * Double(rows - 1)).rounded())
      // A line between neighbours, not beyond them.
      let reach = last.map { $0 < row ? min($0 + 1, row)...row : row...max($0 - 1, row) } ?? row...row
      for dot in reach { cells[dot / 4][column / 2] |= dots[column % 2][dot % 4] }
      last = row
    }
    return cells.map { line in String(String.UnicodeScalarView(line.map { Unicode.Scalar(0x2800 + $0)! })) }
  }

  /// With values on straight lines between those that are there.
  private static func joined(_ values: [Double?]) -> [Double?] {
    var out = values
    var last: (place: Int, value: Double)?
    for (i, value) in values.enumerated() {
      guard let value else { continue }
      if let (place, before) = last {
        for j in place + 1..<max(i, place + 1) {
          let share = Double(j - place) / Double(i - place)
          out[j] = before * (1 - share) + value * share
        }
      }
      last = (i, value)
    }
    return out
  }

  /// The mean of the points in each of some equal parts of their range; nil where none is.
  private static func means(_ points: [(x: Double, y: Double)], _ count: Int) -> [Double?] {
    guard let first = points.first?.x, let last = points.last?.x else { return [] }
    var sums = [(sum: Double, count: Double)](repeating: (0, 0), count: count)
    for point in points {
      let share = last > first ? (point.x - first) / (last - first) : 0
      let i = min(count - 1, max(0, Int(saturating: share * Double(count))))
      sums[i].sum += point.y
      sums[i].count += 1
    }
    return sums.map { $0.count > 0 ? $0.sum / $0.count : nil }
  }
}
