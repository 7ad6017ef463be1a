import ArtifactStore
import Determinism
import PipelineModel

/// Finds the nearest record of each instance: of the same stage first, then with the fewest differences, then of the
/// same instance, then the newest.
///
/// Records of a kind are read once, and what an instance shares with its siblings is compared once.
final class Explainer {
  private struct Candidate {
    let entry: StoreIndex.Entry
    let identity: StageIdentity
  }

  private struct Comparison {
    let candidate: Candidate
    let isSameStage: Bool
    /// Of version, traits, parameters and seed, which all instances of a stage share, unless it has a grid.
    let own: [KeyDifference]
  }

  private let store: Store
  private var candidates: [String: [StoreIndex.Entry]] = [:]
  private var identities: [Digest: StageIdentity] = [:]
  private var comparisons: [String: [Comparison]] = [:]
  /// The newest execution of each instance, by stage.
  private var newest: [String: [String: StoreIndex.Entry]] = [:]
  private var latest: [String: [StoreIndex.Entry]] = [:]
  private var isIndexComplete = false
  /// How many more inputs may be opened to describe the differences inside them.
  private var details = 40

  /// Records of one kind that are compared at most: more would take long and rarely be nearer.
  private static let limit = 256
  /// Of a grid, each instance of which is compared for itself: the last execution of the same instance and so many more.
  private static let limitOfGrid = 12

  init(store: Store) { self.store = store }

  /// - Parameters:
  ///   - environment: what the pipeline file calls the environment of its programs.
  ///   - isOfGrid: whether its siblings have other parameters.
  func explain(
    _ instance: Instance, stageName: String, environment: String?, isOfGrid: Bool = false
  ) -> Explanation {
    if let outputs = try? store.outputs(of: instance.key) {
      let lost = outputs.sorted { $0.key < $1.key }.filter { !store.hasObject($0.value) }
        .map { "its output '\($0.key)' (\($0.value.digest.short)) is missing from the store" }
      return Explanation(lost: lost)
    }
    var explanation = nearest(
      to: instance.identity, stageName: stageName, instanceName: instance.name, isPartial: false,
      isOfGrid: isOfGrid)
    describeEnvironment(in: &explanation, of: instance.identity, environment)
    for i in explanation.differences.indices where explanation.differences[i].part == .input {
      if let detail = detail(explanation.differences[i].name, instance, explanation.nearest!) {
        explanation.differences[i].detail = detail
      }
    }
    return explanation
  }

  /// For an instance whose inputs are not all known yet: the reasons why it runs in any case. A record without
  /// differences means that it stays cached if the missing inputs do not change.
  /// - Parameter instanceName: of an instance whose siblings have other parameters.
  func foresee(
    _ identity: StageIdentity, stageName: String, environment: String?, instanceName: String? = nil
  ) -> Explanation {
    var explanation = nearest(
      to: identity, stageName: stageName, instanceName: instanceName ?? stageName, isPartial: true,
      isOfGrid: instanceName != nil)
    describeEnvironment(in: &explanation, of: identity, environment)
    return explanation
  }

  private func describeEnvironment(in explanation: inout Explanation, of identity: StageIdentity, _ name: String?) {
    guard let nearest = explanation.nearest, let old = self.identity(nearest.key) else { return }
    explanation.differences.describeEnvironments(from: old, to: identity, name: name, in: store.path)
  }

  /// The newest execution of each instance of a stage, by the instance's name.
  func lastEntries(kind: String, stageName: String) -> [String: StoreIndex.Entry] {
    var last = [String: StoreIndex.Entry]()
    for entry in entries(ofKind: kind)
    where StageAddress.stage(ofInstance: entry.stage) == stageName && last[entry.stage] == nil {
      last[entry.stage] = entry
    }
    return last
  }

  private func nearest(
    to identity: StageIdentity, stageName: String, instanceName: String, isPartial: Bool, isOfGrid: Bool = false
  ) -> Explanation {
    var best: (Comparison, inputs: [KeyDifference])?
    let comparisons =
      isOfGrid
      ? compareOne(identity, stageName: stageName, instanceName: instanceName)
      : compare(identity, stageName: stageName)
    for comparison in comparisons {
      // A count below this is nearer.
      var bound = Int.max
      if let best {
        if best.0.isSameStage && !comparison.isSameStage { break }
        bound = best.0.own.count + best.inputs.count
        let entries = (best.0.candidate.entry, comparison.candidate.entry)
        if entries.0.stage != instanceName && entries.1.stage == instanceName { bound += 1 }
      }
      guard comparison.own.count < bound else { continue }
      let inputs = KeyDifference.inputs(from: comparison.candidate.identity, to: identity, isPartial: isPartial)
      if comparison.own.count + inputs.count < bound { best = (comparison, inputs) }
    }
    guard let best else { return Explanation() }
    return Explanation(nearest: best.0.candidate.entry, differences: best.0.own + best.inputs)
  }

  /// Same stage first, each part newest first.
  private func compare(_ identity: StageIdentity, stageName: String) -> [Comparison] {
    if let known = comparisons[stageName] { return known }
    let all = entries(ofKind: identity.kind)
    let same = all.filter { StageAddress.stage(ofInstance: $0.stage) == stageName }
    let others = all.filter { StageAddress.stage(ofInstance: $0.stage) != stageName }
    let chosen =
      same.prefix(Explainer.limit).map { ($0, true) }
      + others.prefix(max(0, Explainer.limit - same.count)).map { ($0, false) }
    let result = chosen.compactMap { entry, isSameStage -> Comparison? in
      guard let found = self.identity(entry.key) else { return nil }
      return Comparison(
        candidate: Candidate(entry: entry, identity: found), isSameStage: isSameStage,
        own: KeyDifference.own(from: found, to: identity))
    }
    comparisons[stageName] = result
    return result
  }

  /// For one instance of a grid alone.
  private func compareOne(_ identity: StageIdentity, stageName: String, instanceName: String) -> [Comparison] {
    if newest[stageName] == nil { newest[stageName] = lastEntries(kind: identity.kind, stageName: stageName) }
    let all = entries(ofKind: identity.kind)
    let isMine = { (entry: StoreIndex.Entry) in StageAddress.stage(ofInstance: entry.stage) == stageName }
    let same = newest[stageName]?[instanceName]
    let siblings = latest[stageName] ?? Array(all.lazy.filter(isMine).prefix(Explainer.limitOfGrid))
    latest[stageName] = siblings
    let others = newest[stageName]?.isEmpty == true ? Array(all.prefix(Explainer.limitOfGrid)) : []
    let chosen = (same.map { [$0] } ?? []) + siblings.filter { $0.key != same?.key }
    return (chosen.map { ($0, true) } + others.map { ($0, false) }).compactMap { entry, isSameStage in
      guard let found = self.identity(entry.key) else { return nil }
      return Comparison(
        candidate: Candidate(entry: entry, identity: found), isSameStage: isSameStage,
        own: KeyDifference.own(from: found, to: identity))
    }
  }

  private func entries(ofKind kind: String) -> [StoreIndex.Entry] {
    if !isIndexComplete {
      // An index that lost lines must not hide what was run.
      try? store.completeIndex()
      isIndexComplete = true
    }
    if let known = candidates[kind] { return known }
    let entries = store.index.keys(ofKind: kind).compactMap { store.index.entry($0) }
    candidates[kind] = entries
    return entries
  }

  private func identity(_ key: Digest) -> StageIdentity? {
    if let known = identities[key] { return known }
    guard let record = try? store.record(key) else { return nil }
    identities[key] = record.identity
    return record.identity
  }

  /// What differs inside a small structured input.
  private func detail(_ input: String, _ instance: Instance, _ nearest: StoreIndex.Entry) -> String? {
    guard details > 0, let artifacts = instance.inputs[input], artifacts.count == 1,
      JSONFormat.kinds.contains(artifacts[0].kind), case .single(let old)? = identity(nearest.key)?.inputs[input]
    else { return nil }
    details -= 1
    func value(_ digest: Digest) -> CanonicalValue? {
      let artifact = Artifact(kind: artifacts[0].kind, digest: digest)
      guard (try? store.verify(artifact)) != nil else { return nil }
      return try? JSONFormat.read(store.objectPath(artifact))
    }
    var current: CanonicalValue?
    if let element = instance.element, element.ports.contains(input), case .json(let own) = element.value {
      current = own
    }
    guard let before = value(old), let now = current ?? value(artifacts[0].digest) else { return nil }
    let all = ValueDifference.all(between: before, and: now, limit: 4)
    let shown = all.prefix(3).map { "\($0.path.isEmpty ? "value" : $0.path) was \($0.old), is \($0.new)" }
    return (shown + (all.count > 3 ? ["..."] : [])).joined(separator: "; ")
  }
}
