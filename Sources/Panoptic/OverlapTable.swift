import Vision

/// Pixels shared by each pair of a ground-truth and a predicted segment, by position in `segments`; row and column 0
/// are void.
struct OverlapTable {
  private let columns: Int
  private let pixels: [Int]

  init(_ truth: PanopticSegmentation, _ guess: PanopticSegmentation) {
    self.init(truth.map.overlaps(with: guess.map), truth.segments, guess.segments)
  }

  /// - Precondition: every id is void or listed.
  init(_ overlaps: [LabelOverlap], _ truth: [SegmentInfo], _ guess: [SegmentInfo]) {
    func positions(_ segments: [SegmentInfo]) -> [UInt32: Int] {
      var positions: [UInt32: Int] = [0: 0]
      for (i, segment) in segments.enumerated() { positions[UInt32(segment.id)] = i + 1 }
      return positions
    }
    let (rowOf, columnOf) = (positions(truth), positions(guess))
    let columns = guess.count + 1
    var pixels = [Int](repeating: 0, count: (truth.count + 1) * columns)
    for overlap in overlaps {
      guard let row = rowOf[overlap.first], let column = columnOf[overlap.second] else {
        preconditionFailure("PanopticQuality.match: a segment is not listed; validate first")
      }
      pixels[row * columns + column] += overlap.pixels
    }
    self.columns = columns
    self.pixels = pixels
  }

  func shared(truth: Int, guess: Int) -> Int { pixels[(truth + 1) * columns + guess + 1] }
  func void(guess: Int) -> Int { pixels[guess + 1] }
  func area(guess: Int) -> Int { stride(from: guess + 1, to: pixels.count, by: columns).reduce(0) { $0 + pixels[$1] } }

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
