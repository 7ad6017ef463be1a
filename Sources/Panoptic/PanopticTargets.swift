import Vision

/// A thing to be found by the box and mask heads.
public struct PanopticInstance: Hashable, Sendable {
  public var segmentID: Int
  public var categoryID: Int
  /// 1...T
  public var label: Int
  /// The smallest box around the mask, legacy convention.
  public var box: Box
  /// Size of the image.
  public var mask: BinaryMask
}

extension PanopticSegmentation {
  /// What the semantic head should say of each pixel: 1...S for stuff, 0 for any thing (crowd regions included), 255
  /// (ignored) for void.
  /// - Precondition: validated; every id and category is known.
  public func semanticLabels(_ categories: CategoryTable) -> [UInt8] {
    var labels: [UInt32: UInt8] = [0: CategoryTable.ignoredLabel]
    for segment in segments {
      labels[UInt32(segment.id)] = UInt8(categories.semanticLabel(ofID: segment.categoryID)!)
    }
    var result = [UInt8]()
    result.reserveCapacity(map.ids.count)
    forEachRun { id, length in
      guard let label = labels[id] else { preconditionFailure("semanticLabels: segment \(id) is not listed") }
      result.append(contentsOf: repeatElement(label, count: length))
    }
    return result
  }

  /// The things of the image in the order of `segments`; crowd regions and segments without pixels are left out.
  public func instances(_ categories: CategoryTable) -> [PanopticInstance] {
    segments.compactMap { segment in
      guard !segment.isCrowd, let label = categories.boxLabel(ofID: segment.categoryID) else { return nil }
      let mask = mask(of: segment.id)
      guard let box = mask.boundingBox else { return nil }
      return PanopticInstance(
        segmentID: segment.id, categoryID: segment.categoryID, label: label, box: box, mask: mask)
    }
  }
}
