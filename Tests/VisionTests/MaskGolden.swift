import Foundation
import Testing

/// Files of reference results: the folder named by `AUTOPANOPTIC_GOLDEN`, else `Tests/Golden`.
enum MaskGolden {
  static let folder: URL =
    if let path = ProcessInfo.processInfo.environment["AUTOPANOPTIC_GOLDEN"] {
      URL(fileURLWithPath: path)
    } else {
      URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .appendingPathComponent("Golden")
    }

  static func decode<T: Decodable>(_ type: T.Type, _ path: String) throws -> T {
    try JSONDecoder().decode(type, from: Data(contentsOf: folder.appendingPathComponent(path)))
  }

  /// A compressed run-length mask as COCO files hold it: `size` is `[height, width]`.
  struct Compressed: Decodable {
    var size: [Int]
    var counts: String
  }
}
