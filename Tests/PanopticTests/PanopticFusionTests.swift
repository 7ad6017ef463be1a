import Determinism
import Testing
import Vision

@testable import Panoptic

@Suite("PanopticFusion")
struct PanopticFusionTests {
  struct Mask: Decodable {
    var size: [Int]
    var counts: String
  }
  struct Prediction: Decodable {
    var image_id: Int
    var category_id: Int
    var segmentation: Mask
    var score: Double?
  }
  struct Expected: Decodable {
    struct Config: Decodable {
      var confidence_thr: Double
      var overlap_thr: Double
      var stuff_area_limit: Int
      var pq: PanopticGolden.Quality
    }
    var configs: [String: Config]
  }

  /// A mask as COCO's tools compress it: lengths of runs in column-major order, outside first. From the fourth on a
  /// length is the difference to the one two before. Each number is written five bits a character, lowest first.
  func mask(_ m: Mask) -> BinaryMask {
    let (height, width) = (m.size[0], m.size[1])
    var lengths: [Int] = []
    var value = 0
    var shift = 0
    for character in m.counts.utf8 {
      let bits = Int(character) - 48
      value |= (bits & 0x1F) << shift
      shift += 5
      guard bits & 0x20 == 0 else { continue }
      if bits & 0x10 != 0 { value |= -1 << shift }
      lengths.append(lengths.count > 2 ? value + lengths[lengths.count - 2] : value)
      (value, shift) = (0, 0)
    }
    let columns = lengths.enumerated().flatMap { [UInt8](repeating: UInt8($0 % 2), count: $1) }
    return BinaryMask(width: width, height: height) { x, y in columns[x * height + y] == 1 }
  }

  @Test(
    "agrees with panopticapi in every pixel up to ids, and in PQ to 1e-9",
    .enabled(if: PanopticGolden.isPresent, PanopticGolden.whereToFind))
  func reference() throws {
    let configs = try PanopticGolden.decode(Expected.self, "ref_combine/expected.json").configs
    let instances = try PanopticGolden.decode([Prediction].self, "ref_combine/instances.json")
    let stuff = try PanopticGolden.decode([Prediction].self, "ref_combine/semantic.json")
    let truth = try PanopticAnnotations(contentsOf: PanopticGolden.truthJSON)
    let table = try #require(truth.categories)
    #expect(configs.count >= 4)
    for (name, config) in configs.sorted(by: { $0.key < $1.key }) {
      let fusion = PanopticFusion(
        scoreThreshold: config.confidence_thr, overlapThreshold: config.overlap_thr,
        stuffAreaLimit: config.stuff_area_limit,
        order: name == "autopanoptic_sort" ? .smallFirst(aboveScore: 0.725) : .scoreDescending)
      let expected = try PanopticAnnotations(
        contentsOf: PanopticGolden.path("ref_combine/\(name).json"), role: .prediction)
      var images = [[PanopticQuality.CategoryCounts]]()
      for annotation in truth.annotations {
        guard case .number(let id) = annotation.imageID else { continue }
        let image = try #require(truth.images.first { $0.id == annotation.imageID })
        let result = fusion.fuse(
          instances.filter { $0.image_id == id }.map {
            InstancePrediction(categoryID: $0.category_id, score: $0.score!, mask: mask($0.segmentation))
          },
          // The semantic results include things, which panopticapi ignores.
          stuff: stuff.filter { $0.image_id == id && table.boxLabel(ofID: $0.category_id) == nil }.map {
            StuffPrediction(categoryID: $0.category_id, mask: mask($0.segmentation))
          },
          width: image.width, height: image.height)
        let reference = try PanopticFiles.read(
          #require(expected.annotations.first { $0.imageID == annotation.imageID }),
          folder: PanopticGolden.path("ref_combine/\(name)"), jsonFile: name, categories: table)
        try result.validate(categories: table, place: name)
        let isSame = Self.isSame(result, reference)
        #expect(isSame, "\(name), image \(id)")
        #expect(result.segments.map(\.categoryID) == reference.segments.map(\.categoryID))
        images.append(
          try PanopticQuality.match(
            groundTruth: PanopticFiles.read(
              annotation, folder: PanopticGolden.truthFolder, jsonFile: "truth", categories: table),
            prediction: result, categories: table, place: name))
      }
      #expect(PanopticGolden.differences(PanopticQuality(images, categories: table), config.pq) == [], "\(name)")
    }
  }

  /// Whether a one-to-one renaming of ids with equal categories turns one map into the other.
  static func isSame(_ a: PanopticSegmentation, _ b: PanopticSegmentation) -> Bool {
    var toB: [UInt32: UInt32] = [0: 0]
    var toA: [UInt32: UInt32] = [0: 0]
    for (x, y) in zip(a.map.ids, b.map.ids) {
      if toB[x, default: y] != y || toA[y, default: x] != x { return false }
      toB[x] = y
      toA[y] = x
    }
    let categoryInB = Dictionary(uniqueKeysWithValues: b.segments.map { (UInt32($0.id), $0.categoryID) })
    return a.segments.allSatisfy { segment in
      toB[UInt32(segment.id)].map { categoryInB[$0] == segment.categoryID } ?? false
    }
  }

  func band(_ rows: Range<Int>, score: Double) -> InstancePrediction {
    InstancePrediction(
      categoryID: 1, score: score, mask: BinaryMask(width: 30, height: 30) { _, y in rows.contains(y) })
  }

  @Test("the published order is by area, smallest first, above a score of 0.725, then by score")
  func order() {
    // (score, area): (0.90, 500), (0.80, 100), (0.70, 50), (0.60, 900)
    let masks = [500, 100, 50, 900].map { area in
      BinaryMask(width: 30, height: 30) { x, y in y * 30 + x < area }
    }
    let instances = zip([0.9, 0.8, 0.7, 0.6], masks).map { InstancePrediction(categoryID: 1, score: $0, mask: $1) }
    #expect(PanopticFusion().ordered(instances).map(\.score) == [0.8, 0.9, 0.7, 0.6])
    #expect(PanopticFusion(order: .scoreDescending).ordered(instances).map(\.score) == [0.9, 0.8, 0.7, 0.6])
    #expect(PanopticFusion(scoreThreshold: 0.7).ordered(instances).map(\.score) == [0.8, 0.9, 0.7])
  }

  @Test("an instance covered by more than half is dropped, and stuff below its area limit")
  func thresholds() {
    let fusion = PanopticFusion(stuffAreaLimit: 61, order: .scoreDescending)
    let result = fusion.fuse(
      [band(0..<10, score: 0.9), band(5..<15, score: 0.8), band(6..<19, score: 0.7), band(20..<20, score: 0.6)],
      stuff: [
        StuffPrediction(categoryID: 9, mask: BinaryMask(width: 30, height: 30) { _, y in (13..<17).contains(y) }),
        StuffPrediction(categoryID: 8, mask: BinaryMask(width: 30, height: 30) { _, y in (20..<30).contains(y) }),
      ], width: 30, height: 30)
    // Of rows 6..<19 9 of 13 are covered, so the third is dropped; of stuff 9 only two rows (60 pixels) are free.
    #expect(result.segments.map(\.categoryID) == [1, 1, 8])
    #expect(result.segments.map(\.area) == [300, 150, 300])
    #expect(result.segments[1].boundingBox == [0, 10, 30, 5])
    #expect(result.map.ids[16 * 30] == 0)
  }

  @Test("the rules of the supplement drop small instances, keep small stuff and let confident instances cover others")
  func supplement() {
    func strip(_ rows: Range<Int>) -> BinaryMask { BinaryMask(width: 10, height: 10) { _, y in rows.contains(y) } }
    // The larger one is more confident and covers the smaller one, which is painted first.
    let instances = [
      InstancePrediction(categoryID: 1, score: 0.9, mask: strip(0..<6)),
      InstancePrediction(categoryID: 2, score: 0.8, mask: strip(0..<3)),
    ]
    let stuff = [StuffPrediction(categoryID: 9, mask: strip(9..<10))]
    func categories(_ change: (inout PanopticFusion) -> Void) -> [Int] {
      var fusion = PanopticFusion(stuffAreaLimit: 20)
      change(&fusion)
      return fusion.fuse(instances, stuff: stuff, width: 10, height: 10).segments.map(\.categoryID)
    }
    #expect(categories { _ in } == [2, 1])
    #expect(categories { $0.overlap = .moreConfident } == [1])
    #expect(categories { $0.areaLimit = .instances } == [2, 1, 9])
    #expect(
      categories {
        $0.areaLimit = .instances
        $0.stuffAreaLimit = 40
      } == [1, 9])
  }
}
