import Determinism

/// Everything that an execution of a stage depends on, and nothing else. The digest of its canonical form is the key.
///
/// Not in it: names of stages in the file, paths, times, host, threads, compression.
package struct StageIdentity: Equatable, Sendable {
  package enum Input: Equatable, Sendable {
    case single(Digest)
    case list([Digest])
  }

  package var kind: String
  package var version: Int
  /// Values of the traits that the kind declares.
  package var traits: [String: String]
  /// The complete set, defaults included.
  package var parameters: CanonicalValue
  /// Nil for a kind that draws no random numbers.
  package var seed: UInt64?
  /// Content digests by the names of the ports.
  package var inputs: [String: Input]
  /// Of a source, what was found: content digests by output. A source has no other inputs.
  package var observed: [String: Digest] = [:]

  /// Increases when the form of keys changes; every key changes with it.
  package static let format = 2

  package var canonical: CanonicalValue {
    var members: [String: CanonicalValue] = [
      "format": .integer(StageIdentity.format), "kind": .string(kind), "version": .integer(version),
      "traits": .object(traits.mapValues { .string($0) }), "parameters": parameters,
      "inputs": .object(
        inputs.mapValues { input in
          switch input {
          case .single(let digest): .string(digest.hex)
          case .list(let digests): .array(digests.map { .string($0.hex) })
          }
        }),
    ]
    // As text: JSON readers elsewhere round large integers.
    if let seed { members["seed"] = .string(String(seed)) }
    if !observed.isEmpty { members["observed"] = .object(observed.mapValues { .string($0.hex) }) }
    return .object(members)
  }

  package var key: Digest { canonical.digest }

  package init(
    kind: String, version: Int, traits: [String: String], parameters: CanonicalValue, seed: UInt64?,
    inputs: [String: Input], observed: [String: Digest] = [:]
  ) {
    self.kind = kind
    self.version = version
    self.traits = traits
    self.parameters = parameters
    self.seed = seed
    self.inputs = inputs
    self.observed = observed
  }

  /// Nil where the value is not exactly what `canonical` writes.
  package init?(canonical value: CanonicalValue) {
    func digest(_ v: CanonicalValue) -> Digest? { v.stringValue.flatMap(Digest.init(hex:)) }
    guard let kind = value["kind"]?.stringValue, let version = value["version"]?.integerValue,
      let traits = value["traits"]?.objectValue, let parameters = value["parameters"],
      let inputs = value["inputs"]?.objectValue
    else { return nil }
    var parsed = [String: Input]()
    for (name, input) in inputs {
      if let single = digest(input) {
        parsed[name] = .single(single)
      } else if let list = input.arrayValue {
        parsed[name] = .list(list.compactMap(digest))
      }
    }
    // Members that were ignored make the comparison with `canonical` below fail.
    self.init(
      kind: kind, version: version, traits: traits.compactMapValues(\.stringValue), parameters: parameters,
      seed: value["seed"]?.stringValue.flatMap { UInt64($0) }, inputs: parsed,
      observed: (value["observed"]?.objectValue ?? [:]).compactMapValues(digest))
    guard canonical == value else { return nil }
  }
}
