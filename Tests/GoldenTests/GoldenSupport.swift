import Determinism
import Foundation
import TensorFiles
import Tensors
import Testing

/// Reference vectors in binary64: `ref_ops` of the folder that `AUTOPANOPTIC_GOLDEN` names, by default `Tests/Golden`.
/// Every case records the error of the same operation of torch in binary32.
enum Golden {
  static func file(_ name: String, source: String = #filePath) throws -> GoldenFile {
    let folder =
      ProcessInfo.processInfo.environment["AUTOPANOPTIC_GOLDEN"].map { URL(fileURLWithPath: $0) }
      ?? URL(fileURLWithPath: source).deletingLastPathComponent().deletingLastPathComponent()
      .appendingPathComponent("Golden")
    let nested = folder.appendingPathComponent("ref_ops/\(name).h5").path
    return try GoldenFile(
      FileManager.default.fileExists(atPath: nested) ? nested : folder.appendingPathComponent("\(name).h5").path)
  }

  /// Calls `body` for the cases whose names begin with one of the prefixes. No such case is a failure: a test that
  /// checks nothing must not pass.
  static func forEachCase(
    _ file: String, _ prefixes: String..., body: (GoldenFile.Case) throws -> Void
  ) throws {
    let cases = try Golden.file(file).cases.filter { c in prefixes.contains { c.name.hasPrefix($0) } }
    #expect(!cases.isEmpty, "\(file): no case \(prefixes)")
    for c in cases { try body(c) }
  }
}

extension GoldenFile.Case {
  func input(_ name: String) throws -> Tensor {
    let stored = try tensor(name)
    return Tensor(stored.doubles.map { Float($0) }, shape: Shape(stored.shape))
  }

  func has(_ name: String) -> Bool { tensors[name] != nil }

  func labels(_ name: String = "in_target") throws -> [Int32] { try tensor(name).doubles.map { Int32($0) } }

  /// The numbers of an attribute; one for a scalar, none for a missing attribute.
  func numbers(_ name: String) -> [Double] {
    func number(_ value: CanonicalValue) -> Double? {
      switch value {
      case .number(let d): d
      case .integer(let i): Double(i)
      case .string(let s): Double(s)
      case .bool(let b): b ? 1 : 0
      default: nil
      }
    }
    guard let value = attributes[name] else { return [] }
    if case .array(let values) = value { return values.compactMap(number) }
    // The script writes some lists as JSON text.
    if case .string(let text) = value, let list = try? CanonicalValue(json: Array(text.utf8)),
      case .array(let values) = list
    {
      return values.compactMap(number)
    }
    return number(value).map { [$0] } ?? []
  }

  func number(_ name: String, default value: Double? = nil) throws -> Double {
    try #require(numbers(name).first ?? value, "case \(self.name): attribute \(name)")
  }

  /// Expects an error of at most `times` the recorded binary32 error, or of `times` ulps of the largest value if that
  /// is more.
  func expect(
    _ value: Tensor, _ name: String, times: Double = 4, sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    let reference = try tensor(name)
    #expect(value.shape.array == reference.shape, "\(self.name): \(name)", sourceLocation: sourceLocation)
    let expected = reference.doubles
    guard expected.count == value.count else { return }
    let largest = expected.reduce(0) { max($0, abs($1)) }
    let tolerance = times * max(numbers("f32_max_abs_err_\(name)").first ?? 0, largest * 0x1p-23)
    var worst = (error: 0.0, at: 0)
    for (i, e) in expected.enumerated() {
      let error = abs(Double(value[flat: i]) - e)
      if !(error <= worst.error) { worst = (error, i) }
    }
    #expect(
      worst.error <= tolerance,
      "\(self.name): \(name)[\(worst.at)] is off by \(worst.error), tolerance \(tolerance)",
      sourceLocation: sourceLocation)
  }
}
