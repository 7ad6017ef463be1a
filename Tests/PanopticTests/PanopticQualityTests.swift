import Determinism
import Foundation
import Testing
import Vision

@testable import Panoptic

@Suite("PanopticQuality agrees with panopticapi")
struct PanopticQualityTests {
  struct Expected: Decodable {
    var cases: [String: PanopticGolden.Quality]
    var error_cases: [String: String]
  }

  @Test(
    "PQ, SQ and RQ agree to 1e-9 in total, per class and per image",
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
    "segmentations in memory have the quality of their files",
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

  /// Files that panopticapi refuses, and the expected error.
  static let refused: [(String, PanopticError.Code, [String])] = [
    ("png_id_not_in_json", .unlistedSegment, ["142238", "5294388"]),
    ("json_id_not_in_png", .absentSegment, ["439180", "12345"]),
    ("unknown_category_12", .unknownCategory, ["142238", "4925204", "12"]),
    ("missing_image", .missingImage, ["439180"]),
  ]

  @Test(
    "files that panopticapi refuses are refused with file and segment",
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

  @Test("a missing PNG is reported by name", .enabled(if: PanopticGolden.isPresent, PanopticGolden.whereToFind))
  func missingPNG() throws {
    let error = try #require(throws: PanopticError.self) {
      try computePanopticQuality(
        groundTruthJSON: PanopticGolden.truthJSON, groundTruthFolder: PanopticGolden.truthFolder,
        predictionJSON: PanopticGolden.path("ref_pq/error_missing_png.json"),
        predictionFolder: PanopticGolden.path("ref_pq/identity"))
    }
    #expect(error.description.contains("nope.png") && error.isUserData)
  }

  @Test("the JSON has the members of panopticapi", .enabled(if: PanopticGolden.isPresent, PanopticGolden.whereToFind))
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

  @Test(
    "results have the same bytes on one thread and three",
    .enabled(if: PanopticGolden.isPresent, PanopticGolden.whereToFind))
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
