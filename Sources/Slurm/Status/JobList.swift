import ArtifactStore
import Determinism
import PipelineModel
import PipelineRunner

/// Jobs of a store that the cluster has, for displays.
public struct JobList: Sendable {
  public struct Job: Sendable {
    /// Instances that it executes, one after the other.
    public let stages: [String]
    public let keys: [Digest]
    /// `1234_5`; nil where Slurm can't be asked.
    public let id: String?
    public let state: String?
    public let reason: String?
    /// Where it was executed last.
    public let node: String?
    /// The stage that it is at, and how far that is.
    public let position: (stage: String, step: Int, of: Int, unit: String, detail: String)?
    /// The file with what it prints.
    public let log: String
  }

  public let jobs: [Job]
  /// Why Slurm can't be asked; empty where it answered.
  public let complaint: String

  /// Looks at the waves of a store that have not ended, and at the queue. Changes nothing.
  public init(store: Store) throws {
    let waves = try Wave.open(in: store)
    guard !waves.isEmpty else {
      (jobs, complaint) = ([], "")
      return
    }
    var queue: Queue?
    var words = ""
    do {
      (queue, words) = try SlurmCluster().queue(of: store.path)
    } catch {
      words = "\(error)"
    }
    var found = [Job]()
    for wave in waves {
      guard let elements = try? wave.orders() else { continue }
      for (index, orders) in elements.enumerated() {
        let entry = queue?[wave.name, index]
        // What the queue knows to have ended, or has forgotten, is no job any more.
        if queue != nil, entry?.isLiving != true { continue }
        found.append(JobList.job(wave, index, orders, entry))
      }
    }
    (jobs, complaint) = (found, words)
  }

  private static func job(_ wave: Wave, _ index: Int, _ orders: [WorkOrder], _ entry: Queue.Entry?) -> Job {
    let beat = wave.beat(of: index)
    return Job(
      stages: orders.map(\.stage), keys: orders.map(\.key), id: entry?.job, state: entry?.state, reason: entry?.reason,
      node: beat?.node, position: beat.map { ($0.stage, $0.step, $0.total, $0.unit, $0.detail) },
      log: wave.logPath(index))
  }
}

extension JobList.Job {
  /// As JSON.
  public var canonical: CanonicalValue {
    func text(_ value: String?) -> CanonicalValue { value.map { .string($0) } ?? .null }
    var members: [String: CanonicalValue] = [
      "stages": .array(stages.map { .string($0) }), "keys": .array(keys.map { .string($0.hex) }), "job": text(id),
      "state": text(state), "reason": text(reason), "node": text(node), "log": .string(log),
    ]
    if let position {
      members["position"] = [
        "stage": .string(position.stage), "step": .integer(position.step), "of": .integer(position.of),
        "unit": .string(position.unit), "detail": .string(position.detail),
      ]
    }
    return .object(members)
  }
}
