import ArtifactStore
import Determinism
import PipelineModel
import PipelineRunner

/// What executing a sample of a store's records again found.
public struct RecomputationReport: Sendable {
  public let instances: [RerunReport.InstanceReport]
  /// Sampled stages that failed, with the reason.
  public let failures: [(stage: String, key: Digest, message: String)]
  /// Records that this program can't execute, by the reason.
  public let notRestorable: [String]
  /// Number of records in the draw.
  public let candidates: Int

  public var isReproduced: Bool { failures.isEmpty && instances.allSatisfy(\.isReproduced) }
}

extension Reexecution {
  /// Executes a sample of the records again, in a scratch folder, and compares the results. The store may be read-only;
  /// nothing in it changes.
  /// - Parameters:
  ///   - count: stages drawn at most.
  ///   - seed: an equal seed draws the same stages of equal records.
  ///   - plan: draws only from what a plan rests on.
  /// - Throws: `StageInterrupted`.
  public func recompute(_ count: Int, seed: UInt64, plan: Plan? = nil) throws -> RecomputationReport {
    let guarded = try StoreLock.shared(store)
    defer {
      store.endScratch()
      withExtendedLifetime(guarded) {}
    }
    let keys = try plan.map { Set($0.stages.flatMap(\.instances).map(\.key)) } ?? Set(store.recordKeys())
    let sources = SourceTrees(
      store: store, variables: variables, interruption: interruption, policy: options.sandbox)
    var candidates = [Restoration]()
    var impossible = [String]()
    for key in keys.sorted() {
      guard let record = try? store.record(key) else { continue }
      // A source does nothing that could come out otherwise; the audit looks at its files.
      if store.registry.kinds[record.identity.kind]?.isSource == true { continue }
      do {
        candidates.append(try Restoration(record, in: store, host: sources.host))
      } catch let error as PipelineError {
        impossible.append(error.message)
      }
    }
    // Drawing by a digest of seed and key: another record in the store does not change the rest of the order.
    let drawn = candidates.map { (order: Digest(of: "\(seed)/\($0.record.key.hex)"), restoration: $0) }
      .sorted { $0.order < $1.order }.prefix(count).map(\.restoration)
    try PreparedStage.notices(of: drawn.map(\.stage.node.prepared), under: options.sandbox).forEach {
      observer(.notice($0))
    }
    var reports = [RerunReport.InstanceReport]()
    var failures = [(stage: String, key: Digest, message: String)]()
    for (restoration, result) in zip(drawn, try compare(drawn, sources)) {
      switch result {
      case .success(let report): reports.append(report)
      case .failure(let error): failures.append((restoration.record.stage, restoration.record.key, "\(error)"))
      }
    }
    return RecomputationReport(
      instances: reports, failures: failures, notRestorable: impossible, candidates: candidates.count)
  }

  /// The comparisons of all restorations, in their order.
  private func compare(
    _ restorations: [Restoration], _ sources: SourceTrees
  ) throws -> [Result<RerunReport.InstanceReport, any Error>] {
    var trees = [Digest: SourceTree]()
    let orders = restorations.map { restoration in
      Result<WorkOrder, any Error> {
        trees.merge(try sources.trees(for: restoration)) { a, _ in a }
        return restoration.order(purpose: .compare, trees: trees, run: "", options)
      }
    }
    let nodes = Dictionary(
      restorations.map { ($0.record.key, $0.stage.node) }, uniquingKeysWith: { first, _ in first })
    let worker = Worker(store: store, host: sources.host, interruption: interruption, trees: trees) { nodes[$0.key] }
    let ends = try (executor ?? LocalExecutor(worker: worker, capacity: 1, threads: options.threads)).compare(
      orders.compactMap { try? $0.get() }, stopsAtFailure: false, interruption: interruption, observer: observer)
    var next = 0
    return orders.map { order in
      order.flatMap { _ in
        defer { next += 1 }
        return ends[next]
      }
    }
  }
}

extension RecomputationReport {
  /// As JSON.
  public var canonical: CanonicalValue {
    var members = RerunReport(instances: instances).canonical.objectValue ?? [:]
    members["reproduced"] = .bool(isReproduced)
    members["candidates"] = .integer(candidates)
    members["not-restorable"] = .array(notRestorable.map { .string($0) })
    members["failures"] = .array(
      failures.map { ["stage": .string($0.stage), "key": .string($0.key.hex), "message": .string($0.message)] })
    return .object(members)
  }
}
