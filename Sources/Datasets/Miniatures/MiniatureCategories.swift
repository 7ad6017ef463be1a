import Determinism

/// Ids and colours of a style's categories: things first, stuff after, with the gaps and the order COCO's list has.
struct MiniatureCategories: Sendable {
  /// By index among things followed by stuff.
  let ids: [Int]
  private let names: [(name: String, supercategory: String, isThing: Bool)]
  private let colours: [SIMD3<UInt8>]

  init(_ style: MiniatureStyle) {
    // COCO's thing ids have holes and its stuff ids start at 92: code that counts on dense ids fails here too.
    ids = style.things.indices.map { $0 + 1 + $0 / 4 } + style.stuff.indices.map { 92 + $0 + $0 / 3 * 2 }
    names =
      style.things.map { ($0.name, $0.supercategory, true) } + style.stuff.map { ($0.name, $0.supercategory, false) }
    let count = names.count
    colours = (0..<count).map { i in
      // Hues spread by the golden ratio, so that neighbours differ.
      let c = Colour(hue: Double(i) * 0.618034, saturation: i % 2 == 0 ? 0.75 : 0.5, value: i % 3 == 0 ? 0.65 : 0.9)
      return SIMD3((c * 255).rounded(.toNearestOrEven))
    }
  }

  var json: CanonicalValue {
    .array(
      names.indices.map { i in
        let c = colours[i]
        return [
          "id": .integer(ids[i]), "name": .string(names[i].name), "supercategory": .string(names[i].supercategory),
          "isthing": names[i].isThing ? 1 : 0,
          "color": [.integer(Int(c.x)), .integer(Int(c.y)), .integer(Int(c.z))],
        ]
      })
  }

  /// Distinct ids below 2^24 for the segments of a scene: the category's colour, and near it for further segments.
  func segmentIds(of scene: MiniatureScene, using random: RandomStream) -> [UInt32] {
    var random = random
    var taken: [UInt32] = [0]
    for segment in scene.segments {
      var colour = colours[segment.category]
      var id = MiniatureCategories.id(colour)
      while taken.contains(id) {
        for c in 0..<3 { colour[c] = UInt8(clamping: Int(colours[segment.category][c]) + random.below(61) - 30) }
        id = MiniatureCategories.id(colour)
      }
      taken.append(id)
    }
    return Array(taken.dropFirst())
  }

  private static func id(_ c: SIMD3<UInt8>) -> UInt32 { UInt32(c.x) | UInt32(c.y) << 8 | UInt32(c.z) << 16 }
}
