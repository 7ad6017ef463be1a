import Autograd
import Tensors
import Vision

/// A region of one image of a batch.
struct Region {
  var image: Int
  var box: Box
}

/// Regions in the order in which they are pooled: level by level, finest first, inside a level as given.
struct PooledOrder {
  /// `order[i]` is the index of the region that stands at place `i`.
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

extension PanopticNetwork {
  var levelRule: LevelRule {
    LevelRule(
      canonicalScale: configuration.levelRule.canonicalScale,
      canonicalLevel: configuration.levelRule.canonicalLevel, convention: boxConvention)
  }

  /// `[R, C, size, size]` from P2...P5, regions in the order of `PooledOrder`.
  func pool(_ regions: [Region], order: PooledOrder, from levels: [Variable], size: Int) -> Variable {
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
          spatialScale: 1 / Double(PanopticNetwork.strides[level]), samplingRatio: 2))
    }
    if parts.isEmpty {
      return levels[0].pass.constant(Tensor(zeros: [0, levels[0].shape[1], size, size]))
    }
    return parts.count == 1 ? parts[0] : concatenateRows(parts)
  }
}
