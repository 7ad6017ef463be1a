import Foundation
import Testing

/// Files of reference results: the folder named by `AUTOPANOPTIC_GOLDEN`, else `Tests/Golden`.
enum MaskGolden {
  static let folder: URL = {
    let environment = ProcessInfo.processInfo.environment
    let own = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .appendingPathComponent("Golden")
    let candidates = [environment["AUTOPANOPTIC_GOLDEN"], environment["AUTOPANOPTIC_DATA"]].compactMap { $0 }
      .map { URL(fileURLWithPath: $0) }
    return candidates.first { FileManager.default.fileExists(atPath: $0.appendingPathComponent("ref_rle").path) } ?? own
  }()

  /// Polygons of COCO annotations are other people's: not in the project, but where the larger test data lies.
  static let hasPolygons = FileManager.default.fileExists(atPath: url("ref_polygon/polygons.json").path)

  static func decode<T: Decodable>(_ type: T.Type, _ path: String) throws -> T {
    try JSONDecoder().decode(type, from: Data(contentsOf: url(path)))
  }

  /// A file of `folder`, or of `shared/data` beside the checkout where `folder` lacks it.
  private static func url(_ path: String) -> URL {
    let own = folder.appendingPathComponent(path)
    if FileManager.default.fileExists(atPath: own.path) { return own }
    return (0..<4).reduce(URL(fileURLWithPath: #filePath)) { url, _ in url.deletingLastPathComponent() }
      .appendingPathComponent("shared/data").appendingPathComponent(path)
  }

  /// A compressed run-length mask as COCO files hold it: `size` is `[height, width]`.
  struct Compressed: Decodable {
    var size: [Int]
    var counts: String
  }
}
