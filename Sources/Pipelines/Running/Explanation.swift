import Determinism

/// Says why an instance is not cached: what differs from the record that is nearest to it.
struct Explanation {
  let store: Store

  /// One line per difference; the first line where there is no record to compare with.
  func reasons(for instance: Instance, stageName: String) -> [String] {
    if let outputs = try? store.outputs(of: instance.key) {
      return outputs.sorted { $0.key < $1.key }.filter { !store.hasObject($0.value) }
        .map { "its output '\($0.key)' (\($0.value.digest.short)) is missing from the store" }
    }
    guard let nearest = nearest(to: instance, stageName: stageName) else { return ["never run before"] }
    return nearest.differences + (nearest.differences.isEmpty ? [] : ["compared with record \(nearest.key.short)"])
  }

  private func nearest(to instance: Instance, stageName: String) -> (key: Digest, differences: [String])? {
    var best: (key: Digest, differences: [String], sameStage: Bool)?
    // Newest first; a handful of records is enough to find a near one.
    for key in store.index.keys(ofKind: instance.identity.kind).prefix(64) {
      guard let record = try? store.record(key) else { continue }
      let differences = Explanation.differences(from: record.identity, to: instance.identity)
      let sameStage = record.stage.prefix { $0 != "[" } == stageName
      let isBetter = best.map { (sameStage ? 0 : 1, differences.count) < ($0.sameStage ? 0 : 1, $0.differences.count) }
      if isBetter ?? true { best = (key, differences, sameStage) }
    }
    return best.map { ($0.key, $0.differences) }
  }

  static func differences(from old: StageIdentity, to new: StageIdentity) -> [String] {
    var out = [String]()
    if old.version != new.version { out.append("version of \(new.kind) was \(old.version), is \(new.version)") }
    for name in Set(old.traits.keys).union(new.traits.keys).sorted() where old.traits[name] != new.traits[name] {
      out.append("\(name) was \(old.traits[name] ?? "absent"), is \(new.traits[name] ?? "absent")")
    }
    for d in ValueDifference.all(between: old.parameters, and: new.parameters) {
      let path = d.path.split(separator: ".").map { ParameterNames.fileSpelling(of: String($0)) }
      out.append("parameter \(path.joined(separator: ".")) was \(d.old), is \(d.new)")
    }
    if old.seed != new.seed {
      out.append("seed was \(old.seed.map(String.init) ?? "none"), is \(new.seed.map(String.init) ?? "none")")
    }
    for name in Set(old.inputs.keys).union(new.inputs.keys).sorted() where old.inputs[name] != new.inputs[name] {
      out.append("input \(name) was \(text(old.inputs[name])), is \(text(new.inputs[name]))")
    }
    for name in Set(old.observed.keys).union(new.observed.keys).sorted() where old.observed[name] != new.observed[name]
    {
      out.append(
        "files of \(name) changed: were \(old.observed[name]?.short ?? "absent"), "
          + "are \(new.observed[name]?.short ?? "absent")")
    }
    return out
  }

  private static func text(_ input: StageIdentity.Input?) -> String {
    switch input {
    case nil: "absent"
    case .single(let digest): digest.short
    case .list(let digests): "\(digests.count) artifacts \(Digest(of: digests.map(\.hex).joined()).short)"
    }
  }
}
