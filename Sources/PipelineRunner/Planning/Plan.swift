import ArtifactStore
import Determinism
import PipelineModel

/// What a run would do, and why.
public struct Plan: Sendable {
  public enum State: String, Sendable {
    /// Its artifacts are in the store.
    case cached
    /// Begun: there is a checkpoint to go on from.
    case partial
    /// There is a record of this stage, but with other inputs, parameters, seed or version.
    case stale
    /// Never run.
    case missing
    /// Its last run failed.
    case failed
    /// What it reads is not known before other stages have run.
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
    /// What it took when it ran; of one that would run what the nearest record says.
    public let cost: Cost?
  }

  /// Time and disk of executions, as their records tell.
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
    /// Of a waiting stage: why it will run whatever they give. Empty: it stays cached if they give what they gave.
    public let certainReasons: [String]
    /// What all its instances took when they last ran; nil where none is known to have run.
    public let lastCost: Cost?
    /// The part of it that would run now, or may: that of waiting stages counts as well.
    public let expectedCost: Cost?
    /// Of a source that can't be read, why.
    public let problem: PipelineError?

    /// The state that says most about the stage.
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

  /// What a run would take at most if every stage took what it last did, and how many stages never ran.
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
}
