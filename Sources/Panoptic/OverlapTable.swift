import Vision

/// Pixels shared by the segments of a ground truth and of a prediction; segments are named by position in `segments`.
///
/// It holds only pairs that share pixels, so it stays small however many segments the files list.
struct OverlapTable {
  struct Shared {
    let guess: Int
    let pixels: Int
  }

  /// Pixels of each ground-truth segment.
  private(set) var truthAreas: [Int]
  /// Pixels of each predicted segment.
  private(set) var guessAreas: [Int]
  /// Of those, the ones on void.
  private(set) var voids: [Int]
  private var pairs: [Shared] = []
  private var rows: [Range<Int>]

  init(_ truth: PanopticSegmentation, _ guess: PanopticSegmentation) {
    self.init(truth.map.overlaps(with: guess.map), truth.segments, guess.segments)
  }

  /// - Parameter overlaps: ascending by the first id, then the second.
  /// - Precondition: every id is void or listed.
  init(_ overlaps: [LabelOverlap], _ truth: [SegmentInfo], _ guess: [SegmentInfo]) {
    let (rowOf, columnOf) = (OverlapTable.positions(truth), OverlapTable.positions(guess))
    truthAreas = [Int](repeating: 0, count: truth.count)
    guessAreas = [Int](repeating: 0, count: guess.count)
    voids = guessAreas
    rows = [Range<Int>](repeating: 0..<0, count: truth.count)
    for overlap in overlaps {
      let (row, column) = (rowOf[overlap.first], columnOf[overlap.second])
      precondition(
        (row != nil || overlap.first == 0) && (column != nil || overlap.second == 0),
        "PanopticQuality.match: a segment is not listed; validate first")
      if let row { truthAreas[row] += overlap.pixels }
      guard let column else { continue }
      guessAreas[column] += overlap.pixels
      if let row {
        rows[row] = (rows[row].isEmpty ? pairs.count : rows[row].lowerBound)..<pairs.count + 1
        pairs.append(Shared(guess: column, pixels: overlap.pixels))
      } else {
        voids[column] += overlap.pixels
      }
    }
  }

  private static func positions(_ segments: [SegmentInfo]) -> [UInt32: Int] {
    Dictionary(uniqueKeysWithValues: segments.enumerated().map { (UInt32($1.id), $0) })
  }

  /// The predicted segments that share pixels with one of the ground truth, ascending by id.
  func guesses(sharingWith truth: Int) -> ArraySlice<Shared> { pairs[rows[truth]] }

  /// Pixels of each id of one map, ascending by id.
  static func sums(_ overlaps: [LabelOverlap], _ id: (LabelOverlap) -> UInt32) -> [(id: UInt32, count: Int)] {
    var sums: [(id: UInt32, count: Int)] = []
    for overlap in overlaps.sorted(by: { id($0) < id($1) }) {
      if sums.last?.id != id(overlap) { sums.append((id(overlap), 0)) }
      sums[sums.count - 1].count += overlap.pixels
    }
    return sums
  }
}
