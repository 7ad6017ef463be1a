import ArtifactStore
import Determinism
import PipelineModel
import PipelineRunner

/// Finds where two runs diverge: the first stage whose results differ although what it reads does not, and inside it
/// the first step and tensor that the records of both hold with different digests.
public struct Bisection {
  /// One run: a store and the key of each stage and instance.
  public struct Side: Sendable {
    let store: Store
    let name: String
    let keys: [String: Digest]
  }

  /// A stage whose results differ between two runs.
  public struct Parting: Sendable {
    public let stage: String
    /// Parameters, seed, version or files of this stage that differ; empty where only its inputs differ, or nothing
    /// does.
    public let differences: [KeyDifference]
    /// Inputs that differ because an earlier stage diverged.
    public let inherited: [String]
    public let trace: TraceDifference?
    /// Outputs that differ, with the first places where they do.
    public let changes: [RerunReport.Change]

    /// Whether the runs diverge here, and not as a consequence of an earlier stage.
    public var isOrigin: Bool { inherited.isEmpty || !differences.isEmpty }
  }

  public struct Report: Sendable {
    /// Origins first among equals; a stage comes after all it reads from.
    public let partings: [Parting]
    /// Stages in both runs.
    public let compared: Int
    public let onlyInFirst: [String]
    public let onlyInSecond: [String]

    public var origin: Parting? { partings.first(where: \.isOrigin) ?? partings.first }
    public var isEqual: Bool { partings.isEmpty && onlyInFirst.isEmpty && onlyInSecond.isEmpty }
  }

  private let a: Side
  private let b: Side

  public init(_ a: Side, _ b: Side) {
    self.a = a
    self.b = b
  }

  public func report() throws -> Report {
    let common = Set(a.keys.keys).intersection(b.keys.keys).sorted()
    var pairs = [String: (Record, Record)]()
    for stage in common {
      guard let first = try record(stage, a), let second = try record(stage, b) else { continue }
      pairs[stage] = (first, second)
    }
    let depths = Bisection.depths(pairs.mapValues(\.0))
    let partings = try pairs.sorted { (depths[$0.key]!, $0.key) < (depths[$1.key]!, $1.key) }
      .compactMap { try parting($0.key, $0.value.0, $0.value.1) }
    return Report(
      partings: partings.sorted {
        (depths[$0.stage]!, $0.isOrigin ? 0 : 1, $0.stage) < (depths[$1.stage]!, $1.isOrigin ? 0 : 1, $1.stage)
      },
      compared: pairs.count, onlyInFirst: a.keys.keys.filter { b.keys[$0] == nil }.sorted(),
      onlyInSecond: b.keys.keys.filter { a.keys[$0] == nil }.sorted())
  }

  /// Nil for a stage that did not come to a result.
  private func record(_ stage: String, _ side: Side) throws -> Record? {
    guard let key = side.keys[stage], Files.exists(side.store.recordPath(key)) else { return nil }
    return try side.store.record(key)
  }

  private func parting(_ stage: String, _ first: Record, _ second: Record) throws -> Parting? {
    let differing = first.outputs.filter { name, artifact in
      second.outputs[name].map { $0.digest != artifact.digest } ?? true
    }
    guard !differing.isEmpty else { return nil }
    let inputs = KeyDifference.inputs(from: first.identity, to: second.identity)
    var own = KeyDifference.own(from: first.identity, to: second.identity)
    own.describeEnvironments(
      from: first.identity, to: second.identity, name: second.environmentName, in: a.store.path, b.store.path)
    return Parting(
      stage: stage, differences: own + inputs.filter { $0.part == .files },
      inherited: inputs.filter { $0.part == .input }.map(\.name), trace: first.trace.firstDifference(to: second.trace),
      changes: try differing.sorted { $0.key < $1.key }.compactMap { name, artifact in
        try second.outputs[name].map {
          RerunReport.Change(
            output: name, recorded: artifact, found: $0, differences: try places(artifact, $0))
        }
      })
  }

  /// The first places where two artifacts differ; none where one of them is missing or damaged.
  private func places(_ first: Artifact, _ second: Artifact) throws -> [ArtifactDifference] {
    guard first.kind == second.kind, (try? a.store.verify(first)) != nil,
      (try? b.store.verify(second)) != nil
    else { return [] }
    return try a.store.registry.format(first.kind)
      .differences(between: a.store.objectPath(first), and: b.store.objectPath(second), limit: 3)
  }

  /// How many stages lie before each, along its longest way.
  private static func depths(_ records: [String: Record]) -> [String: Int] {
    var makers = [Digest: String]()
    for (stage, record) in records.sorted(by: { $0.key > $1.key }) {
      for artifact in record.outputs.values { makers[artifact.digest] = stage }
    }
    var depths = [String: Int]()
    func depth(_ stage: String) -> Int {
      if let known = depths[stage] { return known }
      depths[stage] = 0
      let record = records[stage]!
      let read = record.identity.inputs.values.flatMap { input in
        switch input {
        case .single(let digest): [digest]
        case .list(let digests): digests
        }
      }
      let before = (read + record.elements.values.map(\.array)).compactMap { makers[$0] }.filter { $0 != stage }
      let value = before.map { depth($0) + 1 }.max() ?? 0
      depths[stage] = value
      return value
    }
    for stage in records.keys.sorted() { _ = depth(stage) }
    return depths
  }
}

extension Bisection.Side {
  /// A run of a store.
  public init(run id: String, of store: Store) throws {
    let run = try RunHistory(store: store).run(id)
    self.init(
      store: store, name: run.id,
      keys: Dictionary(run.steps.map { ($0.stage, $0.key) }, uniquingKeysWith: { _, new in new }))
  }

  /// All that a store holds: of each stage the newest record.
  public init(store: Store) throws {
    try store.completeIndex()
    var keys = [String: Digest]()
    for entry in store.index.allEntries { keys[entry.stage] = entry.key }
    self.init(store: store, name: store.path, keys: keys)
  }
}

extension Bisection.Report {
  /// As JSON.
  public var canonical: CanonicalValue {
    [
      "equal": .bool(isEqual), "compared": .integer(compared),
      "only-in-first": .array(onlyInFirst.map { .string($0) }),
      "only-in-second": .array(onlyInSecond.map { .string($0) }),
      "origin": origin.map { .string($0.stage) } ?? .null,
      "partings": .array(
        partings.map { parting in
          [
            "stage": .string(parting.stage), "origin": .bool(parting.isOrigin),
            "differences": .array(parting.differences.map(\.canonical)),
            "inherited": .array(parting.inherited.map { .string($0) }), "trace": parting.trace?.canonical ?? .null,
            "changes": .array(parting.changes.map(\.canonical)),
          ]
        }),
    ]
  }
}
