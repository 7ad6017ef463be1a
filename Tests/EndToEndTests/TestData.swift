import Determinism
import Foundation
import Testing

extension Trait where Self == ConditionTrait {
  /// Skips a test where a part of the test data is not there.
  static func needs(_ name: String) -> Self {
    .enabled(if: TestData.folder(name) != nil, "no '\(name)' in the test data; set AUTOPANOPTIC_DATA")
  }
}

/// Other people's files, which are no part of the project: the folder named by `AUTOPANOPTIC_DATA`, else `shared/data`
/// beside the checkout.
enum TestData {
  /// A folder of the test data; nil where it is missing.
  static func folder(_ name: String) -> String? {
    let beside = URL(fileURLWithPath: Smoke.checkout).deletingLastPathComponent().appendingPathComponent("shared/data")
    let root = ProcessInfo.processInfo.environment["AUTOPANOPTIC_DATA"] ?? beside.path
    return FileManager.default.fileExists(atPath: "\(root)/\(name)") ? "\(root)/\(name)" : nil
  }

  static func json(_ path: String) throws -> CanonicalValue {
    try CanonicalValue(json: Array(Data(contentsOf: URL(fileURLWithPath: path))))
  }
}
