import ArtifactStore
import Determinism
import PipelineModel

/// What a run would execute, and why.
public struct Plan: Sendable {
  public enum State: String, Sendable {
    /// Its artifacts are in the store.
    case cached
    /// Started: there is a checkpoint to resume from.
    case partial
    /// There is a record of this stage, but with other inputs, parameters, seed or version.
    case stale
    /// Never run.
    case missing
    /// Its last run failed.
    case failed
    /// Its inputs are not known before other stages have run.
    case waiting
  }

  public struct InstancePlan: Sendable {
    public let name: String
    public let key: Digest
    public let state: State
    /// Why it would run; empty where it would not.
    public let reasons: [String]
    /// What differs from the nearest record; empty where there is none, or one of this very key.
    public let differences: [KeyDifference]
    /// The key of the nearest record.
    public let nearest: Digest?
    /// By output; empty unless cached.
    public let outputs: [String: Artifact]
    /// Of a partial one.
    public let checkpoint: (step: Int, of: Int)?
    /// Time and disk of its execution; for one that would run, those of the nearest record.
    public let cost: Cost?
  }

  /// Time and disk of executions, from their records.
  public struct Cost: Sendable, Equatable {
    public var seconds: Double
    public var bytes: Int

    package static func sum(_ entries: some Sequence<StoreIndex.Entry>) -> Cost {
      // In an order, since sums of binary64 depend on it.
      entries.sorted { $0.key < $1.key }.reduce(into: Cost(seconds: 0, bytes: 0)) {
        $0.seconds += $1.seconds
        $0.bytes = $0.bytes.addingSaturated($1.bytes)
      }
    }
  }

  public struct Need: Sendable, Hashable {
    public let stage: String
    public let output: String
    /// Whether it reads results of earlier rounds of its loop.
    public let isOfEarlierRounds: Bool
  }

  public struct StagePlan: Sendable {
    public let name: String
    public let kind: String
    public let isFannedOut: Bool
    /// What it reads, by stage and output; an array that it is fanned out over counts as well.
    public let needs: [Need]
    /// Known instances; a stage that is neither fanned out nor repeated has one, or none while it waits.
    public let instances: [InstancePlan]
    /// How many instances there will be, where that is known.
    public let count: Int?
    /// Stages that must run first.
    public let waitsFor: [String]
    /// For a waiting stage: why it will run in any case. Empty: it stays cached if the stages before it give equal
    /// results.
    public let certainReasons: [String]
    /// The cost of all its instances when they last ran; nil if none has a record.
    public let lastCost: Cost?
    /// The cost of the instances that would run, or may run, now; waiting stages count as well.
    public let expectedCost: Cost?
    /// Of a source that can't be read, why.
    public let problem: PipelineError?

    /// The state that summarises the stage.
    public var state: State {
      if problem != nil { return .missing }
      let states = instances.map(\.state)
      for s in [State.failed, .partial, .stale, .missing] where states.contains(s) { return s }
      return instances.count == count ? .cached : .waiting
    }
  }

  public let pipeline: String
  public let stages: [StagePlan]
  /// Over all artifacts, where all are cached.
  public let root: Digest?

  public var isUpToDate: Bool { root != nil }

  /// An upper bound of the cost of a run, from the records, and the number of stages without a record.
  public var expectedCost: (cost: Cost, unknownStages: Int) {
    var sum = Cost(seconds: 0, bytes: 0)
    var unknown = 0
    for stage in stages where stage.state != .cached {
      if let cost = stage.expectedCost {
        sum.seconds += cost.seconds
        sum.bytes = sum.bytes.addingSaturated(cost.bytes)
      } else {
        unknown += 1
      }
    }
    return (sum, unknown)
  }
  public var problems: [PipelineError] { stages.compactMap(\.problem) }

  /// Names of the stages that can't run before the problems are solved, without those that have one themselves.
  public var blockedStages: [String] {
    var blocked = Set(stages.filter { $0.problem != nil }.map(\.name))
    var names = [String]()
    // Each stage comes after what it needs.
    for stage in stages where stage.problem == nil && stage.needs.contains(where: { blocked.contains($0.stage) }) {
      if blocked.insert(stage.name).inserted, stage.state != .cached { names.append(stage.name) }
    }
    return names
  }
}
