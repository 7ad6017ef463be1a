import Determinism
import Foundation
import Panoptic
import Vision

/// Panoptic quality of 200 images of 640×480 with 20 segments each: from files, and from decoded maps.
func qualitySuite() -> [Case] {
  let count = 200
  let folder = Scratch.folder + "/quality"
  func baseline(_ kind: String, _ target: Double) -> Baseline {
    let request: CanonicalValue = ["kind": .string(kind), "folder": .string(folder), "images": .integer(count)]
    return Baseline(
      name: "panopticapi", kind: .script(Script.quality, request),
      row: TargetRow(name: "quality/\(kind)", target: target))
  }
  let shape = "\(count) images of 640×480, 20 segments"
  return [
    Case("quality/files", shape, .images(Double(count)), against: [baseline("files", 5)]) {
      try Scenes.write(count: count, to: Scratch.make("quality"))
      return Scenes.run {
        try computePanopticQuality(
          groundTruthJSON: "\(folder)/truth.json", groundTruthFolder: "\(folder)/truth",
          predictionJSON: "\(folder)/guess.json", predictionFolder: "\(folder)/guess")
      }
    },
    // Fifty distinct images, repeated, so that the maps fit into memory.
    Case("quality/maps", shape, .images(Double(count)), against: [baseline("maps", 30)]) {
      let distinct = 50
      try Scenes.write(count: distinct, to: Scratch.make("quality"))
      let pairs = Parallel.map(distinct) { Scenes.pair($0) }
      return Scenes.run {
        let results = Parallel.map(count) { i in
          Result {
            try PanopticQuality.match(
              groundTruth: pairs[i % distinct].truth, prediction: pairs[i % distinct].guess,
              categories: Scenes.categories, place: "image \(i)")
          }
        }
        return PanopticQuality(try results.map { try $0.get() }, categories: Scenes.categories)
      }
    },
  ]
}

/// Synthetic scenes: ragged cells around random points, and predictions with errors of position and class.
private enum Scenes {
  static let (width, height, segments) = (640, 480, 20)
  static let categories = CategoryTable(
    (1...40).map { PanopticCategory(id: $0, name: "category \($0)", isThing: $0 <= 25) })

  /// The peer must compute the same quality.
  static func run(_ body: @escaping () throws -> PanopticQuality) -> Run {
    var last = 0.0
    return Run(
      body: {
        let quality = try body()
        last = quality.all.pq
        return .digest(quality.json.digest)
      }, value: { last })
  }

  static func write(count: Int, to folder: String) throws {
    let pairs = Parallel.map(count) { pair($0) }
    for (name, scenes) in [("truth", pairs.map(\.truth)), ("guess", pairs.map(\.guess))] {
      let results = scenes.enumerated().map { i, scene in
        (PanopticImage(id: .number(i), fileName: "\(i).jpg", width: width, height: height), scene)
      }
      let maps = try Scratch.make("quality/\(name)")
      try PanopticFiles.write(results, categories: categories, json: "\(folder)/\(name).json", folder: maps)
    }
  }

  static func pair(_ index: Int) -> (truth: PanopticSegmentation, guess: PanopticSegmentation) {
    var random = Seeds(kind: "benchmark", seed: 1).stream("quality/\(index)")
    let points = (0...segments).map { _ in (x: random.below(width), y: random.below(height)) }
    let classes = (0..<segments).map { _ in 1 + random.below(categories.count) }
    let truth = scene(points, classes)
    let moved = points.map { (x: $0.x + random.below(25) - 12, y: $0.y + random.below(25) - 12) }
    let guessed = classes.map { random.chance(0.15) ? 1 + random.below(categories.count) : $0 }
    return (truth, scene(moved, guessed))
  }

  /// Every pixel belongs to its nearest point; the last point's cell is void.
  private static func scene(_ points: [(x: Int, y: Int)], _ classes: [Int]) -> PanopticSegmentation {
    let ids = (0..<segments).map { UInt32(1 + $0 * 65_793) } + [0]
    var map = [UInt32](repeating: 0, count: width * height)
    for y in 0..<height {
      for x in 0..<width {
        // Ragged edges: cells are looked up a few pixels away.
        let (u, v) = (x + (y / 3 * 7 + x / 5 * 3) % 7 - 3, y + (x / 3 * 5 + y / 5 * 4) % 7 - 3)
        var (best, nearest) = (Int.max, 0)
        for (i, point) in points.enumerated() {
          let distance = (u - point.x) * (u - point.x) + (v - point.y) * (v - point.y)
          if distance < best { (best, nearest) = (distance, i) }
        }
        map[y * width + x] = ids[nearest]
      }
    }
    let present = Set(map)
    let infos = (0..<segments).filter { present.contains(ids[$0]) }.map {
      SegmentInfo(id: Int(ids[$0]), categoryID: classes[$0])
    }
    return PanopticSegmentation(map: LabelImage(width: width, height: height, ids: map), segments: infos).measured()
  }
}
