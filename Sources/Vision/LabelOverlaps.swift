import CCodecs
import Tensors

/// How many pixels have one id in a map and another id in a second one.
public struct LabelOverlap: Hashable, Sendable {
  public let first: UInt32
  public let second: UInt32
  /// At least 1.
  public let pixels: Int
}

extension LabelImage {
  /// The pairs of ids that occur, ascending by the first and then the second, in one pass over both maps.
  /// - Precondition: both have one size.
  public func overlaps(with other: LabelImage) -> [LabelOverlap] {
    precondition(
      width == other.width && height == other.height,
      "overlaps: \(width)×\(height) and \(other.width)×\(other.height)")
    // Maps mostly have some dozens of pairs. At most every pixel is one of its own, and half of the table stays free.
    var bits: Int32 = 10
    while true {
      if let found = overlaps(with: other, tableBits: bits) { return found }
      bits += 3
    }
  }

  /// Nil where the pairs would fill more than half of the table.
  private func overlaps(with other: LabelImage, tableBits: Int32) -> [LabelOverlap]? {
    withUnsafeTemporaryAllocation(of: cc_overlap.self, capacity: 1 << tableBits) { table in
      table.initialize(repeating: cc_overlap())
      let count = cc_overlaps(
        Backend.instructionSet.codecs, ids, other.ids, ids.count, table.baseAddress!, tableBits)
      if count < 0 { return nil }
      var found: [LabelOverlap] = []
      found.reserveCapacity(Int(count))
      for place in table where place.pixels > 0 {
        found.append(LabelOverlap(first: place.first, second: place.second, pixels: Int(place.pixels)))
      }
      return found.sorted { ($0.first, $0.second) < ($1.first, $1.second) }
    }
  }
}
