import Determinism
import Foundation
import Testing
import Vision

/// Where the larger test data lies: `AUTOPANOPTIC_DATA`, or `shared/data` beside the checkout.
enum ImageData {
  static let root: String? = {
    if let named = ProcessInfo.processInfo.environment["AUTOPANOPTIC_DATA"] { return named }
    let package = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent()
    let path = package.deletingLastPathComponent().appendingPathComponent("shared/data").path
    return FileManager.default.fileExists(atPath: path) ? path : nil
  }()

  /// Skips a test where the data is missing.
  static let needed: ConditionTrait = .enabled(if: root != nil, "no test data; set AUTOPANOPTIC_DATA")

  /// A folder of the test data and what the reference decoder made of its files, sorted by name; nil where it is
  /// missing.
  static func reference(_ name: String, _ list: String) -> (folder: String, files: [(String, CanonicalValue)])? {
    guard let root, let data = FileManager.default.contents(atPath: "\(root)/\(name)/\(list)"),
      let files = try? CanonicalValue(json: Array(data))["files"]?.objectValue
    else { return nil }
    return ("\(root)/\(name)", files.sorted { $0.key < $1.key })
  }
}

extension Image {
  /// The mirror image, left and right exchanged.
  func flippedHorizontally() -> Image {
    var out = [UInt8]()
    for y in 0..<height {
      for x in (0..<width).reversed() {
        let i = (y * width + x) * channels
        out.append(contentsOf: pixels[i..<i + channels])
      }
    }
    return Image(width: width, height: height, channels: channels, pixels: out)
  }
}
