import Determinism
import Foundation
import TensorFiles
import Testing

extension Trait where Self == ConditionTrait {
  /// Skips a test where this part of the test data is missing.
  static func needs(_ name: String) -> Self {
    .enabled(if: TestData.folder(name) != nil, "no '\(name)' in the test data; set AUTOPANOPTIC_DATA")
  }
}

/// The larger test data: the folder that `AUTOPANOPTIC_DATA` names, or `shared/data` beside the checkout.
enum TestData {
  static let root: String? = {
    if let named = ProcessInfo.processInfo.environment["AUTOPANOPTIC_DATA"] { return named }
    let package = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent()
    let path = package.deletingLastPathComponent().appendingPathComponent("shared/data").path
    return FileManager.default.fileExists(atPath: path) ? path : nil
  }()

  /// A folder of the test data; nil where it is missing.
  static func folder(_ name: String) -> String? {
    guard let root, FileManager.default.fileExists(atPath: "\(root)/\(name)") else { return nil }
    return "\(root)/\(name)"
  }

  /// The plain files of a folder, sorted.
  static func files(in folder: String, suffix: String = "") -> [String] {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
    return names.filter { $0.hasSuffix(suffix) && !$0.hasSuffix(".json") }.sorted()
  }
}

/// Calls `body` with the path of a new folder, and removes the folder at the end.
func withTemporaryFolder<R>(_ body: (String) throws -> R) throws -> R {
  let path = NSTemporaryDirectory() + "autopanoptic-test-" + UUID().uuidString
  try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  defer { try? FileManager.default.removeItem(atPath: path) }
  return try body(path)
}

/// The peak of resident memory of this process, in MiB.
func peakMemory() throws -> Int {
  let status = try String(contentsOfFile: "/proc/self/status", encoding: .utf8)
  let line = try #require(status.split(separator: "\n").first { $0.hasPrefix("VmHWM:") })
  return try #require(Int(line.filter(\.isNumber))) / 1024
}

/// Tensors of every element type, of sizes around the borders of chunks, and attributes of every kind.
enum Sample {
  static let attributes: [String: CanonicalValue] = [
    "title": "Flöße → 木", "empty": "", "steps": 7, "negative": -9_007_199_254_740_993, "rate": 0.1,
    "tiny": .number(.leastNonzeroMagnitude), "large": 12_345_678_901_234_568.0, "enabled": true, "disabled": false,
    "shape": [3, 4, 5], "rates": [0.5, -0.0, 1e-7], "mixed": [1, "a", .null, 2.5], "none": .null,
    "architecture": ["blocks": [0, 1, 3], "name": "a\"b\\c\n\u{1}"], "list": [],
  ]

  static func tensors() -> [(name: String, tensor: NamedTensor)] {
    var state: UInt32 = 1
    func next() -> UInt32 {
      state = state &* 1_664_525 &+ 1_013_904_223
      return state >> 8
    }
    func floats(_ n: Int) -> [Float] { (0..<n).map { _ in Float(next() % 2000) / 1000 - 1 } }
    return [
      ("weights/large", NamedTensor(floats(3 * 300_007), shape: [3, 300_007])),
      ("weights/kernel", NamedTensor(floats(24 * 16 * 3 * 3), shape: [24, 16, 3, 3])),
      ("weights/bias", NamedTensor(floats(24))),
      ("scalar", NamedTensor([Float(0.25)], shape: [])),
      ("nothing", NamedTensor([Float](), shape: [0, 4])),
      ("a/b/c/d/e", NamedTensor([Int64.min, -1, 0, .max])),
      ("a/b/f", NamedTensor((0..<5000).map { Double($0).squareRoot() }, shape: [5, 1000])),
      ("a/g", NamedTensor((0..<70_000).map { Int32($0 * $0 % 7919) }, shape: [7, 10, 1000])),
      ("zeros", NamedTensor([Float](repeating: 0, count: 1 << 20), shape: [1 << 20])),
      ("noise", NamedTensor((0..<200_001).map { _ in UInt8(truncatingIfNeeded: next()) }, shape: [1, 1, 200_001])),
      ("special", NamedTensor([Float.nan, .infinity, -.infinity, -0.0, .leastNonzeroMagnitude])),
      ("ä/名", NamedTensor([UInt16(1), 2, 65535])),
      ("mask", NamedTensor(elementType: .bool, shape: [600], bytes: (0..<600).map { $0 % 3 == 0 ? 1 : 0 })),
    ]
  }
}
