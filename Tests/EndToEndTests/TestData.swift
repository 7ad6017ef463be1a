import Determinism
import Foundation

/// Other people's files, which are no part of the project: the folder named by `AUTOPANOPTIC_DATA`, else `shared/data`
/// beside the checkout.
enum TestData {
  /// A folder of the test data; nil, with a message, where it is missing.
  static func folder(_ name: String) -> String? {
    let beside = URL(fileURLWithPath: Smoke.checkout).deletingLastPathComponent().appendingPathComponent("shared/data")
    let root = ProcessInfo.processInfo.environment["AUTOPANOPTIC_DATA"] ?? beside.path
    guard FileManager.default.fileExists(atPath: "\(root)/\(name)") else {
      print("skipped: no '\(name)' in the test data; set AUTOPANOPTIC_DATA")
      return nil
    }
    return "\(root)/\(name)"
  }

  static func json(_ path: String) throws -> CanonicalValue {
    try CanonicalValue(json: Array(Data(contentsOf: URL(fileURLWithPath: path))))
  }
}
