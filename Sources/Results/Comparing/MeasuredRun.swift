import ArtifactStore
import Determinism
import PipelineModel

/// A past run with what its stages measured and were told, as their records say. Artifacts are verified as they are read.
package struct MeasuredRun {
  package let run: RunSummary
  package let store: Store
  /// Keys by the names of stages and instances.
  package let keys: [String: Digest]

  package init(_ run: RunSummary, in store: Store) {
    self.run = run
    self.store = store
    keys = Dictionary(run.steps.map { ($0.stage, $0.key) }, uniquingKeysWith: { _, new in new })
  }

  /// Its name where it has one, else its ID.
  package var title: String { run.details?.name ?? run.id }

  /// `judge` of `judge[2,3]`.
  static func stage(ofInstance name: String) -> String {
    name.utf8.firstIndex(of: UInt8(ascii: "[")).map { String(name[..<$0]) } ?? name
  }

  /// Nil of a stage that came to no result.
  func record(_ key: Digest, _ records: inout [Digest: Record]) throws -> Record? {
    if let known = records[key] { return known }
    guard store.hasRecord(key) else { return nil }
    let record = try store.record(key)
    records[key] = record
    return record
  }

  /// What the index says of a stage, which is read at once; nil of one that came to no result.
  func entry(_ key: Digest) -> StoreIndex.Entry? { store.index.entry(key) }

  /// Whether the outputs of a stage may hold metrics.
  func measures(_ entry: StoreIndex.Entry) -> Bool {
    entry.outputs.values.contains { $0.kind == MetricsFormat.name }
      || !(store.registry.kinds[entry.kind]?.highlights.isEmpty ?? true)
  }

  /// The seed of the run; of one that did not note it, the seed that most of some stages drew from.
  func seed(_ records: inout [Digest: Record]) throws -> UInt64? {
    if let seed = run.details?.seed { return seed }
    var counts = [UInt64: Int]()
    let random = keys.sorted { $0.key < $1.key }.filter { _, key in
      entry(key).flatMap { store.registry.kinds[$0.kind]?.isRandom } ?? false
    }
    for (_, key) in random.prefix(8) {
      if let seed = try record(key, &records)?.identity.seed { counts[seed, default: 0] += 1 }
    }
    return counts.max { ($0.value, $1.key) < ($1.value, $0.key) }?.key
  }

  /// What the run as a whole was told.
  func ownParameters(_ records: inout [Digest: Record]) throws -> [String: CanonicalValue] {
    var parameters = [String: CanonicalValue]()
    if let seed = try seed(&records) { parameters["seed"] = .string(String(seed)) }
    if let profile = run.details?.profile { parameters["profile"] = .string(profile) }
    if let fidelity = run.details?.fidelity { parameters["fidelity"] = .string(fidelity) }
    return parameters
  }
}

extension Record {
  /// What the execution depended on beside the content of its inputs: parameters as pipeline files spell them, its version,
  /// traits, and what a source found.
  var settings: [String: CanonicalValue] {
    var settings = [String: CanonicalValue]()
    func visit(_ value: CanonicalValue, _ path: String) {
      guard let members = value.objectValue, !members.isEmpty else {
        if !path.isEmpty { settings[path] = value }
        return
      }
      for (name, inner) in members {
        let name = ParameterNames.fileSpelling(of: name)
        visit(inner, path.isEmpty ? name : "\(path).\(name)")
      }
    }
    visit(identity.parameters, "")
    settings["version"] = .integer(identity.version)
    for (name, text) in identity.traits { settings["\(name)"] = .string(Digest(hex: text)?.short ?? text) }
    if let seed = identity.seed { settings["seed"] = .string(String(seed)) }
    for (name, digest) in identity.observed { settings["files of \(name)"] = .string(digest.short) }
    return settings
  }

  /// Numbers and words that it measured: those of its `metrics`, and the highlights of its kind.
  func metrics(in store: Store) throws -> [String: CanonicalValue] {
    var found = [String: CanonicalValue]()
    for (name, artifact) in outputs where artifact.kind == MetricsFormat.name {
      let group = name.hasSameBytes(as: MetricsFormat.name) ? "" : "\(name)."
      for metric in MetricsFormat.flat(try store.value(of: artifact)) { found[group + metric.name] = metric.value }
    }
    for highlight in store.registry.kinds[identity.kind]?.highlights ?? [] {
      // Metrics are there already, by their own names.
      guard let artifact = outputs[highlight.output], JSONFormat.kinds.contains(artifact.kind),
        artifact.kind != MetricsFormat.name
      else { continue }
      if let value = highlight.value(in: try store.value(of: artifact)) { found[highlight.name] = .number(value) }
    }
    return found
  }
}
