import ArtifactStore
import Determinism
import PipelineModel

/// How two artifacts, or the two executions behind two records, differ.
public struct Comparison: Sendable {
  /// What is compared, such as `tensors 3fa91c against tensors 77ab02`.
  public let title: String
  /// Of records: what their executions depended on.
  public let keys: [KeyDifference]
  public let trace: TraceDifference?
  public let places: [ArtifactDifference]
  /// Whether there may be more places than these.
  public let isCutOff: Bool
  public let isEqual: Bool

  /// As JSON.
  public var canonical: CanonicalValue {
    [
      "title": .string(title), "equal": .bool(isEqual), "keys": .array(keys.map(\.canonical)),
      "trace": trace?.canonical ?? .null, "places": .array(places.map(\.canonical)), "cut-off": .bool(isCutOff),
    ]
  }
}

extension Lookup {
  /// Compares two artifacts or two records, which may lie in two stores.
  /// - Parameter limit: places at most.
  public func compare(_ first: String, to second: String, in other: Lookup, limit: Int) throws -> Comparison {
    let title = "\(first) against \(second)"
    switch (try find(first), try other.find(second)) {
    case (.artifact(let a), .artifact(let b)): return try compare(a, b, other, limit: limit)
    case (.record(let a), .record(let b)):
      let (x, y) = (try store.record(a), try other.store.record(b))
      var places = [ArtifactDifference]()
      for name in Set(x.outputs.keys).union(y.outputs.keys).sorted() where x.outputs[name] != y.outputs[name] {
        func text(_ artifact: Artifact?) -> String { artifact.map { "\($0.kind) \($0.digest.short)" } ?? "absent" }
        places.append(
          ArtifactDifference(place: "output '\(name)'", first: text(x.outputs[name]), second: text(y.outputs[name])))
      }
      var own = KeyDifference.own(from: x.identity, to: y.identity)
      own.describeEnvironments(
        from: x.identity, to: y.identity, name: y.environmentName, in: store.path, other.store.path)
      return Comparison(
        title: "record \(title)", keys: own + KeyDifference.inputs(from: x.identity, to: y.identity),
        trace: x.trace.firstDifference(to: y.trace), places: places, isCutOff: false, isEqual: a == b && places.isEmpty)
    default:
      throw PipelineError(.unknownID, "\(title): one is an artifact, the other a record; name two of a kind")
    }
  }

  private func compare(_ a: Artifact, _ b: Artifact, _ other: Lookup, limit: Int) throws -> Comparison {
    let title = "\(a.kind) \(a.digest.short) against \(b.kind) \(b.digest.short)"
    var places = [ArtifactDifference]()
    if a.kind == b.kind, a.digest != b.digest {
      try store.verify(a)
      try other.store.verify(b)
      places = try store.registry.format(a.kind).differences(
        between: store.objectPath(a), and: other.store.objectPath(b), limit: limit < .max ? limit + 1 : limit)
    }
    return Comparison(
      title: title, keys: [], trace: nil, places: Array(places.prefix(limit)), isCutOff: places.count > limit,
      isEqual: a.kind == b.kind && a.digest == b.digest)
  }
}
