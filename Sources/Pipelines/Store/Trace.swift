import Determinism

/// Digests of tensors at steps inside a stage, in the order of steps and names.
struct Trace: Equatable, Sendable {
  private(set) var steps: [Int: [String: Digest]] = [:]

  var isEmpty: Bool { steps.isEmpty }

  mutating func note(step: Int, name: String, digest: Digest) {
    steps[step, default: [:]][name] = digest
  }

  var canonical: CanonicalValue {
    .array(
      steps.keys.sorted().map { step in
        .object(["step": .integer(step), "digests": .object(steps[step]!.mapValues { .string($0.hex) })])
      })
  }

  init() {}

  init?(canonical value: CanonicalValue) {
    guard let entries = value.arrayValue else { return nil }
    for entry in entries {
      guard let step = entry["step"]?.integerValue, let digests = entry["digests"]?.objectValue else { return nil }
      for (name, text) in digests {
        guard let digest = text.stringValue.flatMap(Digest.init(hex:)) else { return nil }
        note(step: step, name: name, digest: digest)
      }
    }
  }

  /// The first step and name, in order, that both have with different digests.
  func firstDifference(to other: Trace) -> String? {
    for step in steps.keys.sorted() {
      guard let theirs = other.steps[step] else { continue }
      for (name, digest) in steps[step]!.sorted(by: { $0.key < $1.key }) {
        if let match = theirs[name], match != digest { return "step \(step), \(name)" }
      }
    }
    return nil
  }
}
