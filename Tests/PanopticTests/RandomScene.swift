import Determinism
import Panoptic
import Vision

/// The categories of `randomScene`: two things and two kinds of stuff, not in the order of their ids.
let sceneCategories = CategoryTable([
  PanopticCategory(id: 7, name: "cat", isThing: true), PanopticCategory(id: 3, name: "dog", isThing: true),
  PanopticCategory(id: 9, name: "sky", isThing: false), PanopticCategory(id: 4, name: "sea", isThing: false),
])

/// 40×30 pixels with random rectangles of random categories, some of them crowds; some pixels stay void.
func randomScene(_ random: inout RandomStream) -> PanopticSegmentation {
  var map = LabelImage(width: 40, height: 30, ids: [UInt32](repeating: 0, count: 1200))
  var segments = [SegmentInfo]()
  for id in 1...(2 + random.below(10)) {
    let category = sceneCategories.categories[random.below(4)]
    let (x, y) = (random.below(36), random.below(26))
    let (w, h) = (1 + random.below(40 - x), 1 + random.below(30 - y))
    for row in y..<y + h { for column in x..<x + w { map.ids[row * 40 + column] = UInt32(id) } }
    segments.append(
      SegmentInfo(id: id, categoryID: category.id, isCrowd: category.isThing && random.chance(0.1)))
  }
  return PanopticSegmentation(map: map, segments: segments).measured()
}
