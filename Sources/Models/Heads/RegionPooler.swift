import Autograd
import Tensors
import Vision

// R regions, C channels of a pyramid level.

/// A region of one image of a batch.
struct Region {
  /// Index in the batch.
  var image: Int
  var box: Box
}

/// Pools regions from the pyramid levels that fit their sizes, for the box and mask heads.
struct RegionPooler {
  let rule: LevelRule

  init(_ configuration: NetworkConfiguration) {
    rule = LevelRule(
      canonicalScale: configuration.levelRule.canonicalScale, canonicalLevel: configuration.levelRule.canonicalLevel,
      convention: configuration.boxes.convention)
  }

  /// Pooled regions, and which region each row is.
  struct Pooled {
    /// `[R, C, size, size]`
    var features: Variable
    /// Row `i` holds the region with the index `order[i]`: level by level, finest first, inside a level as given.
    var order: [Int]
  }

  /// - Parameters:
  ///   - levels: P2 to P5, perhaps more.
  ///   - size: cells per side of a pooled region.
  func pool(_ regions: [Region], from levels: [Variable], size: Int) -> Pooled {
    let order = PooledOrder(regions, rule: rule)
    var parts: [Variable] = []
    var place = 0
    for (level, count) in order.counts.enumerated() where count > 0 {
      var rows: [Float] = []
      for i in order.order[place..<place + count] {
        let region = regions[i]
        rows += [Float(region.image), region.box.x0, region.box.y0, region.box.x1, region.box.y1]
      }
      place += count
      parts.append(
        roiAlign(
          levels[level], regions: Tensor(rows, shape: [count, 5]), size: size,
          spatialScale: 1 / Double(FeaturePyramid.strides[level]), samplingRatio: 2))
    }
    let features =
      switch parts.count {
      case 0: levels[0].pass.constant(Tensor(zeros: [0, levels[0].shape[1], size, size]))
      case 1: parts[0]
      default: concatenateRows(parts)
      }
    return Pooled(features: features, order: order.order)
  }
}

/// Regions in the order in which they are pooled.
struct PooledOrder {
  /// `order[i]` is the index of the region at place `i`.
  let order: [Int]
  /// Regions of each level, in that order.
  let counts: [Int]

  init(_ regions: [Region], rule: LevelRule) {
    let levels = regions.map { rule.level(of: $0.box) }
    var order: [Int] = []
    var counts: [Int] = []
    for level in rule.lowest...rule.highest {
      let members = regions.indices.filter { levels[$0] == level }
      order += members
      counts.append(members.count)
    }
    self.order = order
    self.counts = counts
  }
}
