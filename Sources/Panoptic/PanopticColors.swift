import Vision

extension PanopticSegmentation {
  /// The same segments with ids that look like their categories when the PNG is viewed, as panopticapi has it: stuff
  /// and the first thing of a category take the category's colour, further things a colour nearby.
  ///
  /// Ids depend on the order of `segments` alone. Segments must have been validated.
  public func colored(_ categories: CategoryTable) -> PanopticSegmentation {
    var used: Set<Int> = [0]
    var newID = [UInt32: UInt32]()
    let segments = segments.map { segment in
      let base = categories.category(id: segment.categoryID)?.color ?? Self.fallbackColor(segment.categoryID)
      var attempt = 0
      var id = Self.id(of: base)
      while !used.insert(id).inserted {
        attempt += 1
        id = Self.id(of: Self.neighbor(of: base, attempt))
      }
      newID[UInt32(segment.id)] = UInt32(id)
      var copy = segment
      copy.id = id
      return copy
    }
    let ids = map.ids.map { $0 == 0 ? 0 : newID[$0]! }
    return PanopticSegmentation(
      map: LabelImage(width: map.width, height: map.height, ids: ids), segments: segments)
  }

  private static func id(of color: [UInt8]) -> Int { Int(color[0]) + Int(color[1]) << 8 + Int(color[2]) << 16 }

  /// Walks a box of ±30 per channel around the colour, far points first; then all colours.
  private static func neighbor(of color: [UInt8], _ attempt: Int) -> [UInt8] {
    let box = 61 * 61 * 61
    if attempt > box {
      let id = attempt - box
      return [UInt8(id & 255), UInt8(id >> 8 & 255), UInt8(id >> 16 & 255)]
    }
    // 83,177 has no factor in common with 61, so every point of the box comes up once.
    let point = attempt * 83_177 % box
    let shifts = [point % 61 - 30, point / 61 % 61 - 30, point / (61 * 61) - 30]
    return zip(color, shifts).map { UInt8(min(max(Int($0) + $1, 0), 255)) }
  }

  private static func fallbackColor(_ categoryID: Int) -> [UInt8] {
    let bits = UInt32(truncatingIfNeeded: categoryID) &* 2_654_435_761
    return [UInt8(bits >> 24), UInt8(bits >> 16 & 255), UInt8(bits >> 8 & 255 | 1)]
  }
}
