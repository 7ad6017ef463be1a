import Determinism
import Foundation
import Testing

extension Trait where Self == ConditionTrait {
  /// Skips a test where this part of the test data is missing.
  static func needs(_ name: String) -> Self {
    .enabled(if: TestData.folder(name) != nil, "no '\(name)' in the test data; set AUTOPANOPTIC_DATA")
  }
}

/// Test data that is not part of the repository: in the folder that `AUTOPANOPTIC_DATA` names, or in `shared/data`
/// beside the checkout.
enum TestData {
  /// The path of a folder of the test data; nil if it is missing.
  static func folder(_ name: String) -> String? {
    let beside = URL(fileURLWithPath: Smoke.checkout).deletingLastPathComponent().appendingPathComponent("shared/data")
    let root = ProcessInfo.processInfo.environment["AUTOPANOPTIC_DATA"] ?? beside.path
    return FileManager.default.fileExists(atPath: "\(root)/\(name)") ? "\(root)/\(name)" : nil
  }

  static func json(_ path: String) throws -> CanonicalValue {
    try CanonicalValue(json: Array(Data(contentsOf: URL(fileURLWithPath: path))))
  }
}
