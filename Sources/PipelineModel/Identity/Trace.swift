import Determinism

/// Digests of tensors at steps inside a stage, in the order of steps and names.
package struct Trace: Equatable, Sendable {
  package private(set) var steps: [Int: [String: Digest]] = [:]

  package var isEmpty: Bool { steps.isEmpty }

  package mutating func note(step: Int, name: String, digest: Digest) {
    steps[step, default: [:]][name] = digest
  }

  package var canonical: CanonicalValue {
    .array(
      steps.keys.sorted().map { step in
        .object(["step": .integer(step), "digests": .object(steps[step]!.mapValues { .string($0.hex) })])
      })
  }

  package init() {}

  package init?(canonical value: CanonicalValue) {
    guard let entries = value.arrayValue else { return nil }
    for entry in entries {
      guard let step = entry["step"]?.integerValue, let digests = entry["digests"]?.objectValue else { return nil }
      for (name, text) in digests {
        guard let digest = text.stringValue.flatMap(Digest.init(hex:)) else { return nil }
        note(step: step, name: name, digest: digest)
      }
    }
  }

  /// The first step that both have with different digests, and the first name there.
  package func firstDifference(to other: Trace) -> TraceDifference? {
    var lastEqual: Int?
    for step in steps.keys.sorted() {
      guard let theirs = other.steps[step] else { continue }
      let names = steps[step]!.keys.filter { theirs[$0] != nil }.sorted()
      let different = names.filter { theirs[$0] != steps[step]![$0] }
      if let first = different.first {
        return TraceDifference(
          step: step, name: first, count: different.count, total: names.count, lastEqualStep: lastEqual)
      }
      if !names.isEmpty { lastEqual = step }
    }
    return nil
  }
}

/// Where two executions of one stage diverge, as far as their records tell.
public struct TraceDifference: Hashable, Sendable, CustomStringConvertible {
  /// The first step whose digests differ.
  public let step: Int
  /// The first of the names that differ there, and how many of those compared do.
  public let name: String
  public let count: Int
  public let total: Int
  /// The last step before it at which all agreed.
  public let lastEqualStep: Int?

  /// Nil where the value is not what `canonical` writes.
  package init?(canonical value: CanonicalValue) {
    guard let step = value["step"]?.integerValue, let name = value["name"]?.stringValue,
      let count = value["count"]?.integerValue, let total = value["total"]?.integerValue
    else { return nil }
    self.init(
      step: step, name: name, count: count, total: total, lastEqualStep: value["last-equal-step"]?.integerValue)
  }

  init(step: Int, name: String, count: Int, total: Int, lastEqualStep: Int?) {
    self.step = step
    self.name = name
    self.count = count
    self.total = total
    self.lastEqualStep = lastEqualStep
  }

  public var description: String {
    "step \(step), \(name)" + (count > 1 ? " and \(count - 1) more of \(total)" : "")
      + (lastEqualStep.map { "; equal until step \($0)" } ?? "")
  }

  /// As JSON.
  public var canonical: CanonicalValue {
    [
      "step": .integer(step), "name": .string(name), "count": .integer(count), "total": .integer(total),
      "last-equal-step": lastEqualStep.map { .integer($0) } ?? .null,
    ]
  }
}
