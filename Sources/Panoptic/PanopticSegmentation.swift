import Vision

/// One segment of a panoptic map.
public struct SegmentInfo: Hashable, Sendable {
  /// Value of the segment's pixels, 1 ..< 2²⁴.
  public var id: Int
  public var categoryID: Int
  /// Pixels; as the file says, where it comes from one, and then perhaps no whole number. Zero in predictions that do
  /// not say. No result depends on it: segments are as large as their pixels.
  public var area: Double
  /// A region of many things of one category that nobody told apart.
  public var isCrowd: Bool
  /// `x, y, width, height` in pixels; nil in predictions that do not say.
  public var boundingBox: [Int]?

  public init(id: Int, categoryID: Int, area: Double = 0, isCrowd: Bool = false, boundingBox: [Int]? = nil) {
    (self.id, self.categoryID, self.area, self.isCrowd, self.boundingBox) =
      (id, categoryID, area, isCrowd, boundingBox)
  }
}

/// A panoptic map and what its ids mean. Id 0 is void: pixels nobody labelled.
public struct PanopticSegmentation: Hashable, Sendable {
  /// Segment id of every pixel.
  public var map: LabelImage
  public var segments: [SegmentInfo]

  public init(map: LabelImage, segments: [SegmentInfo]) { (self.map, self.segments) = (map, segments) }

  /// Checks that map and segments speak of the same ids, and categories are known.
  ///
  /// - Parameter place: names both in errors, such as `val.json and val/000123.png`.
  /// - Throws: `PanopticError` with the id at fault.
  public func validate(categories: CategoryTable? = nil, place: String) throws {
    let counts = map.overlaps(with: map).map { (id: $0.first, count: $0.pixels) }
    try validate(categories: categories, place: place, pixelCounts: counts)
  }

  /// The same where the pixels were counted already.
  /// - Parameter pixelCounts: of the map, ascending by id, void included where it occurs.
  func validate(categories: CategoryTable?, place: String, pixelCounts: [(id: UInt32, count: Int)]) throws {
    var listed = Set<Int>()
    for segment in segments {
      guard listed.insert(segment.id).inserted else {
        throw PanopticError(.duplicateID, at: place, "two segments have the id \(segment.id)")
      }
      if let categories, categories.index(ofID: segment.categoryID) == nil {
        throw PanopticError(
          .unknownCategory, at: place,
          "segment \(segment.id) has category \(segment.categoryID), which is not in the list of categories")
      }
    }
    for (id, count) in pixelCounts where id != 0 {
      guard listed.remove(Int(id)) != nil else {
        throw PanopticError(
          .unlistedSegment, at: place,
          "the PNG has \(count) pixels of segment \(id), which the JSON does not list in segments_info")
      }
    }
    if let absent = listed.min() {
      throw PanopticError(
        .absentSegment, at: place, "the JSON lists segment \(absent), of which the PNG has no pixel")
    }
  }

  /// The segments with area and bounding box taken from the map; segments without pixels are dropped.
  public func measured() -> PanopticSegmentation {
    struct Extent { var area = 0, left = Int.max, top = Int.max, right = -1, bottom = -1 }
    var extents = [UInt32: Extent]()
    for y in 0..<map.height {
      for x in 0..<map.width {
        let id = map.ids[y * map.width + x]
        if id == 0 { continue }
        extents[id, default: Extent()].area += 1
        extents[id]!.left = min(extents[id]!.left, x)
        extents[id]!.right = max(extents[id]!.right, x)
        extents[id]!.top = min(extents[id]!.top, y)
        extents[id]!.bottom = y
      }
    }
    let measured = segments.compactMap { segment -> SegmentInfo? in
      guard let extent = extents[UInt32(segment.id)] else { return nil }
      var copy = segment
      copy.area = Double(extent.area)
      copy.boundingBox = [
        extent.left, extent.top, extent.right - extent.left + 1, extent.bottom - extent.top + 1,
      ]
      return copy
    }
    return PanopticSegmentation(map: map, segments: measured)
  }
}
