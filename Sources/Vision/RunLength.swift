/// A set of pixels as COCO's run lengths: *column*-major, alternating lengths of outside and inside, outside first.
public struct RunLengthMask: Hashable, Sendable {
  public let width: Int
  public let height: Int
  /// Lengths of runs; they sum to `width * height`. Inner runs may be zero in files made by others.
  public let counts: [Int]

  /// - Precondition: no negative run, and the runs cover the image.
  public init(width: Int, height: Int, counts: [Int]) {
    precondition(
      RunLengthMask.isValid(width: width, height: height, counts: counts),
      "RunLengthMask: \(counts.count) runs do not cover \(width)×\(height)")
    (self.width, self.height, self.counts) = (width, height, counts)
  }

  /// True where the runs are not negative and cover the image.
  public static func isValid(width: Int, height: Int, counts: [Int]) -> Bool {
    var rest = width * height
    for run in counts {
      guard run >= 0, run <= rest else { return false }
      rest -= run
    }
    return rest == 0
  }

  public init(_ mask: BinaryMask) {
    var counts = [Int]()
    var run = 0
    var isInside = false
    for x in 0..<mask.width {
      for y in 0..<mask.height {
        if mask[x, y] != isInside {
          counts.append(run)
          run = 0
          isInside.toggle()
        }
        run += 1
      }
    }
    counts.append(run)
    (width, height, self.counts) = (mask.width, mask.height, counts)
  }

  public var mask: BinaryMask {
    var mask = BinaryMask(width: width, height: height)
    for range in insideRanges {
      for i in range { mask[i / height, i % height] = true }
    }
    return mask
  }

  /// Number of pixels inside.
  public var area: Int { insideRanges.reduce(0) { $0 + $1.count } }

  /// The smallest box around the mask; all zeros for an empty one, as pycocotools has it.
  public var boundingBox: COCOBox {
    var (left, top, right, bottom) = (width, height, -1, -1)
    for range in insideRanges {
      let (firstColumn, lastColumn) = (range.lowerBound / height, (range.upperBound - 1) / height)
      left = min(left, firstColumn)
      right = max(right, lastColumn)
      // A run over a column's end touches both the bottom and the top row.
      top = firstColumn == lastColumn ? min(top, range.lowerBound % height) : 0
      bottom = firstColumn == lastColumn ? max(bottom, (range.upperBound - 1) % height) : height - 1
    }
    guard right >= 0 else { return COCOBox(x: 0, y: 0, width: 0, height: 0) }
    return COCOBox(
      x: Double(left), y: Double(top), width: Double(right - left + 1), height: Double(bottom - top + 1))
  }

  /// The runs of pixels inside, as ranges of column-major indices; none is empty.
  var insideRanges: [Range<Int>] {
    var ranges = [Range<Int>]()
    var start = 0
    for (i, run) in counts.enumerated() {
      if i % 2 == 1 && run > 0 { ranges.append(start..<start + run) }
      start += run
    }
    return ranges
  }

  /// From ascending ranges; neighbours that touch join.
  init(width: Int, height: Int, insideRanges ranges: [Range<Int>]) {
    var counts = [Int]()
    var end = 0
    for range in ranges where !range.isEmpty {
      if range.lowerBound == end && !counts.isEmpty {
        counts[counts.count - 1] += range.count
      } else {
        counts.append(range.lowerBound - end)
        counts.append(range.count)
      }
      end = range.upperBound
    }
    if end < width * height || counts.isEmpty { counts.append(width * height - end) }
    self.init(width: width, height: height, counts: counts)
  }
}
