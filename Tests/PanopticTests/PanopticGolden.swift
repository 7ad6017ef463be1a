import Foundation
import Panoptic
import Testing
import Vision

/// Results of panopticapi on COCO images. They are not part of the repository: the folder that `AUTOPANOPTIC_GOLDEN` or
/// `AUTOPANOPTIC_DATA` names, or `shared/data` beside the checkout.
enum PanopticGolden {
  static let folder: String = {
    let environment = ProcessInfo.processInfo.environment
    let beside = (0..<3).reduce(URL(fileURLWithPath: #filePath)) { url, _ in url.deletingLastPathComponent() }
      .deletingLastPathComponent().appendingPathComponent("shared/data").path
    let candidates = [environment["AUTOPANOPTIC_GOLDEN"], environment["AUTOPANOPTIC_DATA"], beside].compactMap { $0 }
    return candidates.first { FileManager.default.fileExists(atPath: $0 + "/ref_pq/expected.json") } ?? beside
  }()

  /// Tests that need the results are skipped where this is false.
  static let isPresent = FileManager.default.fileExists(atPath: folder + "/ref_pq/expected.json")
  static let whereToFind: Comment = "the results of panopticapi are not at hand; set AUTOPANOPTIC_DATA"

  static func path(_ name: String) -> String { folder + "/" + name }
  static let categories = path("coco/panoptic_coco_categories.json")
  static let truthJSON = path("coco/panopticapi_sample_data/panoptic_examples.json")
  static let truthFolder = path("coco/panopticapi_sample_data/panoptic_examples")

  static func decode<T: Decodable>(_ type: T.Type, _ name: String) throws -> T {
    try JSONDecoder().decode(type, from: Data(contentsOf: URL(fileURLWithPath: path(name))))
  }

  /// Results as panopticapi prints them.
  struct Quality: Decodable {
    struct Group: Decodable {
      var pq: Double
      var sq: Double
      var rq: Double
      var n: Int?
    }
    struct Counts: Decodable {
      var iou: Double
      var tp: Int
      var fp: Int
      var fn: Int
    }
    struct Image: Decodable {
      var counts: [String: Counts]
    }
    /// Nil where panopticapi divides by zero: no category of the group occurs.
    var All: Group?
    var Things: Group?
    var Stuff: Group?
    var per_class: [String: Group]
    var counts: [String: Counts]
    var single_image: [String: Image]?
  }

  /// Differences from the reference, in words; empty where they agree to 1e-9.
  static func differences(_ quality: PanopticQuality, _ expected: Quality) -> [String] {
    var found = [String]()
    func compare(_ name: String, _ a: Double, _ b: Double) {
      if abs(a - b) > 1e-9 { found.append("\(name): \(a), expected \(b)") }
    }
    for (name, group, reference) in [
      ("All", quality.all, expected.All), ("Things", quality.things, expected.Things),
      ("Stuff", quality.stuff, expected.Stuff),
    ] {
      guard let reference else { continue }
      compare("\(name) pq", group.pq, reference.pq)
      compare("\(name) sq", group.sq, reference.sq)
      compare("\(name) rq", group.rq, reference.rq)
      if group.count != reference.n { found.append("\(name) n: \(group.count)") }
    }
    for (category, c) in zip(quality.categories.categories, quality.counts) {
      let id = String(category.id)
      guard let reference = expected.per_class[id] else {
        found.append("class \(id) is missing in the reference")
        continue
      }
      compare("\(id) pq", c.pq, reference.pq)
      compare("\(id) sq", c.sq, reference.sq)
      compare("\(id) rq", c.rq, reference.rq)
      if let difference = difference(c, expected.counts[id]) { found.append("\(id) \(difference)") }
    }
    return found
  }

  static func difference(_ c: MatchCounts, _ reference: Quality.Counts?) -> String? {
    let r = reference ?? .init(iou: 0, tp: 0, fp: 0, fn: 0)
    let isEqual =
      abs(c.iou - r.iou) <= 1e-9 && c.truePositives == r.tp && c.falsePositives == r.fp && c.falseNegatives == r.fn
    return isEqual ? nil : "counts \(c), expected \(r)"
  }
}

/// A temporary folder, removed with the object.
final class TemporaryFolder {
  let path: String

  init() throws {
    let url = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
    try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    path = url.path
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  func write(_ text: String, _ name: String) throws -> String {
    try Data(text.utf8).write(to: URL(fileURLWithPath: path + "/" + name))
    return path + "/" + name
  }
}
