import Determinism
import Foundation
import Testing
import Vision

@testable import Panoptic

@Suite("Panoptic quality")
struct PanopticQualityTests {
  struct Expected: Decodable {
    var cases: [String: PanopticGolden.Quality]
    var error_cases: [String: String]
  }

  @Test(
    "agrees with panopticapi on every case to 1e-9, in total, per class and per image",
    .enabled(if: PanopticGolden.isPresent, PanopticGolden.whereToFind))
  func reference() throws {
    let cases = try PanopticGolden.decode(Expected.self, "ref_pq/expected.json").cases
    #expect(cases.count >= 15)
    for (name, expected) in cases.sorted(by: { $0.key < $1.key }) {
      let quality = try computePanopticQuality(
        groundTruthJSON: PanopticGolden.truthJSON, groundTruthFolder: PanopticGolden.truthFolder,
        predictionJSON: PanopticGolden.path("ref_pq/\(name).json"),
        predictionFolder: PanopticGolden.path("ref_pq/\(name)"), categories: PanopticGolden.categories)
      #expect(PanopticGolden.differences(quality, expected) == [], "\(name)")
      let ids = try PanopticAnnotations(contentsOf: PanopticGolden.truthJSON).annotations.map(\.imageID)
      for (id, image) in zip(ids, quality.images) {
        guard let reference = expected.single_image?["\(id)"] else { continue }
        for entry in image {
          let category = String(quality.categories.categories[entry.category].id)
          #expect(PanopticGolden.difference(entry.counts, reference.counts[category]) == nil, "\(name), image \(id)")
        }
        #expect(image.count == reference.counts.values.count { $0.tp + $0.fp + $0.fn > 0 })
      }
    }
  }

  @Test(
    "maps in memory give the numbers of their files",
    .enabled(if: PanopticGolden.isPresent, PanopticGolden.whereToFind))
  func inMemory() throws {
    let truth = try PanopticAnnotations(contentsOf: PanopticGolden.truthJSON)
    let guess = try PanopticAnnotations(contentsOf: PanopticGolden.path("ref_pq/mixed.json"), role: .prediction)
    let table = try CategoryTable(contentsOf: PanopticGolden.categories)
    let pairs = try truth.annotations.map { annotation in
      let other = try #require(guess.annotations.first { $0.imageID == annotation.imageID })
      return (
        groundTruth: try PanopticFiles.read(
          annotation, folder: PanopticGolden.truthFolder, jsonFile: truth.file, categories: table),
        prediction: try PanopticFiles.read(
          other, folder: PanopticGolden.path("ref_pq/mixed"), jsonFile: guess.file, categories: table)
      )
    }
    let files = try computePanopticQuality(
      groundTruthJSON: PanopticGolden.truthJSON, groundTruthFolder: PanopticGolden.truthFolder,
      predictionJSON: guess.file, predictionFolder: PanopticGolden.path("ref_pq/mixed"),
      categories: PanopticGolden.categories)
    let memory = try PanopticQuality(comparing: pairs, categories: table)
    #expect(memory.images == files.images && memory.all == files.all)

    var wrong = pairs
    wrong[1].prediction.segments.removeLast()
    let error = #expect(throws: PanopticError.self) { try PanopticQuality(comparing: wrong, categories: table) }
    #expect(error?.code == .unlistedSegment && error?.place == "predictions[1]")
  }

  /// What panopticapi refuses, and what we say.
  static let refused: [(String, PanopticError.Code, [String])] = [
    ("png_id_not_in_json", .unlistedSegment, ["142238", "5294388"]),
    ("json_id_not_in_png", .absentSegment, ["439180", "12345"]),
    ("unknown_category_12", .unknownCategory, ["142238", "4925204", "12"]),
    ("missing_image", .missingImage, ["439180"]),
  ]

  @Test(
    "names file and segment of what panopticapi refuses",
    .enabled(if: PanopticGolden.isPresent, PanopticGolden.whereToFind), arguments: refused)
  func refusal(_ name: String, _ code: PanopticError.Code, _ words: [String]) throws {
    let error = try #require(throws: PanopticError.self) {
      try computePanopticQuality(
        groundTruthJSON: PanopticGolden.truthJSON, groundTruthFolder: PanopticGolden.truthFolder,
        predictionJSON: PanopticGolden.path("ref_pq/error_\(name).json"),
        predictionFolder: PanopticGolden.path("ref_pq/identity"))
    }
    #expect(error.code == code && error.isUserData)
    for word in words { #expect(error.description.contains(word)) }
  }

  @Test("a missing PNG is named", .enabled(if: PanopticGolden.isPresent, PanopticGolden.whereToFind))
  func missingPNG() throws {
    let error = try #require(throws: PanopticError.self) {
      try computePanopticQuality(
        groundTruthJSON: PanopticGolden.truthJSON, groundTruthFolder: PanopticGolden.truthFolder,
        predictionJSON: PanopticGolden.path("ref_pq/error_missing_png.json"),
        predictionFolder: PanopticGolden.path("ref_pq/identity"))
    }
    #expect(error.description.contains("nope.png") && error.isUserData)
  }

  @Test("the JSON has panopticapi's members", .enabled(if: PanopticGolden.isPresent, PanopticGolden.whereToFind))
  func json() throws {
    let quality = try computePanopticQuality(
      groundTruthJSON: PanopticGolden.truthJSON, groundTruthFolder: PanopticGolden.truthFolder,
      predictionJSON: PanopticGolden.path("ref_pq/mixed.json"), predictionFolder: PanopticGolden.path("ref_pq/mixed"))
    let json = quality.json
    #expect(json["All"]?["pq"]?.numberValue == quality.all.pq)
    #expect(json["Things"]?["n"]?.integerValue == quality.things.count)
    #expect(json["per_class"]?.objectValue?.count == 133)
    #expect(json["per_class"]?["1"]?["sq"]?.numberValue == quality.counts[0].sq)
    #expect(json["images"]?.integerValue == 2)
  }

  @Test("one thread and three give the same bytes", .enabled(if: PanopticGolden.isPresent, PanopticGolden.whereToFind))
  func threads() throws {
    func bytes(_ threads: Int) throws -> [UInt8] {
      try Parallel.withThreads(threads) {
        try computePanopticQuality(
          groundTruthJSON: PanopticGolden.truthJSON, groundTruthFolder: PanopticGolden.truthFolder,
          predictionJSON: PanopticGolden.path("ref_pq/erode.json"),
          predictionFolder: PanopticGolden.path("ref_pq/erode")
        ).json.canonicalBytes
      }
    }
    #expect(try bytes(1) == bytes(3))
  }
}

@Suite("Panoptic quality: properties")
struct PanopticQualityPropertyTests {
  static let categories = CategoryTable([
    PanopticCategory(id: 7, name: "cat", isThing: true), PanopticCategory(id: 3, name: "dog", isThing: true),
    PanopticCategory(id: 9, name: "sky", isThing: false), PanopticCategory(id: 4, name: "sea", isThing: false),
  ])

  /// Random rectangles of random categories, some of them crowds; some pixels stay void.
  static func scene(_ random: inout RandomStream) -> PanopticSegmentation {
    var map = LabelImage(width: 40, height: 30, ids: [UInt32](repeating: 0, count: 1200))
    var segments = [SegmentInfo]()
    for id in 1...(2 + random.below(10)) {
      let category = categories.categories[random.below(4)]
      let (x, y) = (random.below(36), random.below(26))
      let (w, h) = (1 + random.below(40 - x), 1 + random.below(30 - y))
      for row in y..<y + h { for column in x..<x + w { map.ids[row * 40 + column] = UInt32(id) } }
      segments.append(
        SegmentInfo(id: id, categoryID: category.id, isCrowd: category.isThing && random.chance(0.1)))
    }
    return PanopticSegmentation(map: map, segments: segments).measured()
  }

  static func quality(_ pairs: [(PanopticSegmentation, PanopticSegmentation)]) throws -> PanopticQuality {
    PanopticQuality(
      try pairs.map {
        try PanopticQuality.match(groundTruth: $0, prediction: $1, categories: categories, place: "scene")
      }, categories: categories)
  }

  @Test("a perfect prediction has PQ 1 in every class that occurs, with crowds predicted or not")
  func perfect() throws {
    var random = Seeds(kind: "test", seed: 4).stream("pq")
    for _ in 0..<50 {
      let truth = Self.scene(&random)
      let crowds = Set(truth.segments.filter(\.isCrowd).map { UInt32($0.id) })
      var guess = truth
      guess.map.ids = truth.map.ids.map { crowds.contains($0) ? 0 : $0 }
      guess.segments.removeAll(where: \.isCrowd)
      let quality = try Self.quality([(truth, guess)])
      for c in quality.counts { #expect(c.isAbsent || (c.pq == 1 && c.sq == 1 && c.rq == 1)) }
      #expect(quality.all.count == Set(guess.segments.map(\.categoryID)).count)
    }
  }

  @Test("new ids and another order of segments change nothing")
  func permutation() throws {
    var random = Seeds(kind: "test", seed: 5).stream("pq")
    for _ in 0..<50 {
      let (truth, guess) = (Self.scene(&random), Self.scene(&random))
      let newIDs = random.permutation(guess.segments.count + 20).map { $0 * 1000 + 17 }
      var renamed = guess
      renamed.segments = guess.segments.map {
        SegmentInfo(id: newIDs[$0.id], categoryID: $0.categoryID, area: $0.area, isCrowd: false)
      }
      random.shuffle(&renamed.segments)
      renamed.map.ids = guess.map.ids.map { $0 == 0 ? 0 : UInt32(newIDs[Int($0)]) }
      let (a, b) = (try Self.quality([(truth, guess)]), try Self.quality([(truth, renamed)]))
      for (x, y) in zip(a.counts, b.counts) {
        #expect(abs(x.iou - y.iou) < 1e-12)
        #expect(x.truePositives == y.truePositives)
        #expect(x.falsePositives == y.falsePositives && x.falseNegatives == y.falseNegatives)
      }
    }
  }

  @Test("an overlap of exactly one half is no match")
  func exactHalf() throws {
    let segments = [SegmentInfo(id: 1, categoryID: 7, area: 2)]
    let truth = PanopticSegmentation(
      map: LabelImage(width: 4, height: 1, ids: [1, 1, 2, 2]),
      segments: segments + [SegmentInfo(id: 2, categoryID: 9, area: 2)])
    let guess = PanopticSegmentation(map: LabelImage(width: 4, height: 1, ids: [1, 0, 0, 0]), segments: segments)
    let counts = try Self.quality([(truth, guess)]).counts[0]
    #expect(counts == MatchCounts(falsePositives: 1, falseNegatives: 1))
  }

  @Test("a group that does not occur has n = 0 and zeros")
  func emptyGroup() throws {
    let void = PanopticSegmentation(map: LabelImage(width: 2, height: 1, ids: [0, 0]), segments: [])
    let quality = try Self.quality([(void, void)])
    #expect(quality.all.count == 0 && quality.all.pq == 0 && quality.things.pq == 0)
    #expect(quality.standardError == nil)
  }

  @Test("the jackknife error of a mean of equal classes is the error of a mean")
  func standardError() throws {
    // One class, one match an image: PQ is the mean overlap.
    let images = [0.6, 0.7, 0.8, 0.9].map { iou in
      [PanopticQuality.CategoryCounts(category: 0, counts: MatchCounts(iou: iou, truePositives: 1))]
    }
    let error = try #require(PanopticQuality(images, categories: Self.categories).standardError)
    // s / √n with s² = 0.05 / 3.
    #expect(abs(error - (0.05 / 3 / 4).squareRoot()) < 1e-12)
  }
}
