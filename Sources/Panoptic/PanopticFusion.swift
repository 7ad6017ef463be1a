import Determinism
import Vision

/// A detected object at the size of the image.
public struct InstancePrediction: Sendable {
  public var categoryID: Int
  /// Probability of the class, 0 to 1.
  public var score: Double
  public var mask: BinaryMask

  public init(categoryID: Int, score: Double, mask: BinaryMask) {
    (self.categoryID, self.score, self.mask) = (categoryID, score, mask)
  }
}

/// The pixels of one class of stuff at the size of the image.
public struct StuffPrediction: Sendable {
  public var categoryID: Int
  public var mask: BinaryMask

  public init(categoryID: Int, mask: BinaryMask) { (self.categoryID, self.mask) = (categoryID, mask) }
}

/// Which instance is painted first.
public enum FusionOrder: Hashable, Sendable, Codable {
  /// By descending score, as panopticapi does.
  case scoreDescending
  /// Instances with a score above this come first, by ascending area; the others follow by descending score. The
  /// published programs use 0.725, a number the paper does not mention.
  case smallFirst(aboveScore: Double)
}

/// The kind of segments that `stuffAreaLimit` applies to.
public enum FusionAreaLimit: String, Switch {
  /// Stuff, as in the published code and in panopticapi.
  case stuff
  /// Instances, as in the supplement.
  case instances
  public static let recommended = FusionAreaLimit.stuff
}

/// The instances that an instance's overlap is measured against.
public enum FusionOverlap: String, Switch {
  /// Instances painted before it, as in the published code.
  case earlier
  /// Instances with a higher score, as in the supplement.
  case moreConfident = "more-confident"
  public static let recommended = FusionOverlap.earlier
}

/// Joins the predictions of both heads into one panoptic map, in which every pixel belongs to at most one segment.
public struct PanopticFusion: Hashable, Sendable, Codable {
  /// Instances below this score are dropped.
  public var scoreThreshold: Double
  /// An instance is dropped where more than this share of its mask is taken by instances painted before.
  public var overlapThreshold: Double
  /// Segments with fewer pixels than this are dropped; `areaLimit` says of which kind. Stuff counts what is free of
  /// instances, an instance its whole mask.
  public var stuffAreaLimit: Int
  /// Which instance is painted first.
  public var order: FusionOrder
  /// What `stuffAreaLimit` applies to.
  public var areaLimit: FusionAreaLimit
  /// What `overlapThreshold` is measured against.
  public var overlap: FusionOverlap

  /// The defaults are those of the published programs, for images at their original size.
  public init(
    scoreThreshold: Double = 0.5, overlapThreshold: Double = 0.5, stuffAreaLimit: Int = 64 * 64,
    order: FusionOrder = .smallFirst(aboveScore: 0.725), areaLimit: FusionAreaLimit = .recommended,
    overlap: FusionOverlap = .recommended
  ) {
    self.scoreThreshold = scoreThreshold
    self.overlapThreshold = overlapThreshold
    self.stuffAreaLimit = stuffAreaLimit
    self.order = order
    self.areaLimit = areaLimit
    self.overlap = overlap
  }

  /// - Parameters:
  ///   - instances: in the order of the detector, which decides ties.
  ///   - stuff: one mask per class of stuff, in class order; an earlier class keeps its pixels where masks overlap.
  /// - Returns: segments with ids 1, 2, ... in order of painting, areas and boxes measured; unpainted pixels are void.
  public func fuse(
    _ instances: [InstancePrediction], stuff: [StuffPrediction], width: Int, height: Int
  ) -> PanopticSegmentation {
    var ids = [UInt32](repeating: 0, count: width * height)
    var segments = [SegmentInfo]()

    /// Paints what is still free of `mask`.
    func paint(_ mask: BinaryMask, categoryID: Int) {
      let id = UInt32(segments.count + 1)
      var painted = 0
      for i in 0..<ids.count where mask.pixels[i] != 0 && ids[i] == 0 {
        ids[i] = id
        painted += 1
      }
      if painted > 0 { segments.append(SegmentInfo(id: Int(id), categoryID: categoryID, area: Double(painted))) }
    }
    /// Pixels of `mask` that no segment holds.
    func free(_ mask: BinaryMask) -> Int {
      precondition(
        mask.width == width && mask.height == height,
        "fuse: a mask of \(mask.width)×\(mask.height) in an image of \(width)×\(height)")
      var count = 0
      for i in 0..<ids.count where mask.pixels[i] != 0 && ids[i] == 0 { count += 1 }
      return count
    }

    let queue = ordered(instances)
    for instance in queue {
      let area = instance.mask.area
      if area == 0 || areaLimit == .instances && area < stuffAreaLimit { continue }
      // Everything painted so far is an instance, so what is not free is taken by earlier ones.
      let taken =
        overlap == .earlier ? area - free(instance.mask) : covered(instance, by: queue)
      if Double(taken) / Double(area) > overlapThreshold { continue }
      paint(instance.mask, categoryID: instance.categoryID)
    }
    for prediction in stuff where free(prediction.mask) >= (areaLimit == .stuff ? stuffAreaLimit : 1) {
      paint(prediction.mask, categoryID: prediction.categoryID)
    }
    return PanopticSegmentation(map: LabelImage(width: width, height: height, ids: ids), segments: segments)
      .measured()
  }

  /// Pixels of an instance that more confident ones cover.
  private func covered(_ instance: InstancePrediction, by others: [InstancePrediction]) -> Int {
    let above = others.filter { $0.score > instance.score }
    return instance.mask.pixels.indices.count { i in
      instance.mask.pixels[i] != 0 && above.contains { $0.mask.pixels[i] != 0 }
    }
  }

  /// The instances that reach the score threshold, first to be painted first; ties keep their order.
  func ordered(_ instances: [InstancePrediction]) -> [InstancePrediction] {
    let kept = instances.filter { $0.score >= scoreThreshold }
    let areas = kept.map { order == .scoreDescending ? 0 : $0.mask.area }
    func precedes(_ a: Int, _ b: Int) -> Bool {
      if case .smallFirst(let limit) = order, kept[a].score > limit, kept[b].score > limit {
        return areas[a] != areas[b] ? areas[a] < areas[b] : a < b
      }
      return kept[a].score != kept[b].score ? kept[a].score > kept[b].score : a < b
    }
    return kept.indices.sorted(by: precedes).map { kept[$0] }
  }
}
