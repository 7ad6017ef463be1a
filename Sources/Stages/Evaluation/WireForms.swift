import Determinism
import Panoptic

// Results of single pictures on their way from one member of a team to another.

extension PanopticQuality.CategoryCounts {
  static func wireForm(of counts: [Self]) -> [UInt8] {
    var bytes = WireBytes()
    bytes.write(counts.count)
    for entry in counts {
      bytes.write(entry.category)
      bytes.write([entry.counts.iou])
      for count in [entry.counts.truePositives, entry.counts.falsePositives, entry.counts.falseNegatives] {
        bytes.write(count)
      }
    }
    return bytes.bytes
  }

  static func list(wireForm bytes: [UInt8]) -> [Self] {
    var rest = WireReader(bytes)
    return (0..<rest.integer()).map { _ in
      let (category, iou) = (rest.integer(), rest.doubles()[0])
      let (truePositives, falsePositives) = (rest.integer(), rest.integer())
      return Self(
        category: category,
        counts: MatchCounts(
          iou: iou, truePositives: truePositives, falsePositives: falsePositives, falseNegatives: rest.integer()))
    }
  }
}

extension PanopticWriter.Page {
  var wireForm: [UInt8] {
    var bytes = WireBytes()
    bytes.write(png)
    bytes.write(segments.count)
    for segment in segments {
      bytes.write(segment.id)
      bytes.write(segment.categoryID)
      bytes.write([segment.area])
      bytes.write(segment.isCrowd ? 1 : 0)
      bytes.write(segment.boundingBox?.count ?? -1)
      for number in segment.boundingBox ?? [] { bytes.write(number) }
    }
    return bytes.bytes
  }

  init(wireForm bytes: [UInt8]) {
    var rest = WireReader(bytes)
    let png = rest.block()
    self.init(
      png: png,
      segments: (0..<rest.integer()).map { _ in
        let (id, category, area) = (rest.integer(), rest.integer(), rest.doubles()[0])
        let isCrowd = rest.integer() == 1
        let numbers = rest.integer()
        return SegmentInfo(
          id: id, categoryID: category, area: area, isCrowd: isCrowd,
          boundingBox: numbers < 0 ? nil : (0..<numbers).map { _ in rest.integer() })
      })
  }
}
