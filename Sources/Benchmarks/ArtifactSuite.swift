import Determinism
import Foundation
import Pipelines

/// Artifacts with weights: saving, reading and auditing them, and the memory that takes.
struct ArtifactSuite {
  let mebibytes: Int

  private var bytes: Double { Double(mebibytes << 20) }
  private var shape: String { "\(mebibytes) MiB of weights" }
  /// A folder in memory, where a sync costs nothing.
  private var memory: String { "/dev/shm/\(URL(fileURLWithPath: Scratch.folder).lastPathComponent)" }

  var cases: [Case] { writing + reading + memoryPeaks }

  private func saving(to folder: String) -> Run {
    Run(
      prepare: {
        _ = try Weights.file(mebibytes: mebibytes)
        try? FileManager.default.removeItem(atPath: folder)
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
      },
      body: {
        let result = try RunnerCases.run(RunnerCases.weights(mebibytes: mebibytes), store: folder + "/store")
        return .digest(result.root!)
      })
  }

  /// Makes a store with the weights.
  private func stored() throws -> String {
    let store = Scratch.folder + "/weights"
    try RunnerCases.run(RunnerCases.weights(mebibytes: mebibytes), store: store)
    return store
  }

  /// Saving, without and with the sync.
  private var writing: [Case] {
    [
      Case(
        "artifact/save", shape + ", in memory", .bytes(bytes), rounds: 5,
        against: [limit("saving weights before the sync: at least 0.8 GB/s")]
      ) {
        var run = saving(to: memory)
        run.allowance = {
          try? FileManager.default.removeItem(atPath: memory)
          return bytes / 0.8e9
        }
        return run
      },
      Case(
        "artifact/save synced", shape + ", on the disk", .bytes(bytes), rounds: 5,
        against: [
          Baseline(
            name: "dd conv=fsync", kind: .alternative,
            row: TargetRow(name: "saving weights with the sync, beside dd", target: 0.9))
        ]
      ) {
        let folder = Scratch.folder + "/synced"
        var run = saving(to: folder)
        run.alternative = { _ in
          RunnerProcess.tool("dd", "if=\(RunnerProcess.largest(folder))", "of=\(folder)/copy", "bs=1M", "conv=fsync")
        }
        return run
      },
    ]
  }

  /// Loading in a stage, and auditing the store.
  private var reading: [Case] {
    [
      Case(
        "artifact/load", shape + ", verified", .bytes(bytes), rounds: 5,
        against: [limit("reading weights, verified: at least 1.2 GB/s")]
      ) {
        let store = try stored()
        var attempt = 0
        return Run(
          body: {
            attempt += 1
            let pipeline = try RunnerCases.weights(mebibytes: mebibytes, attempt: attempt)
            return .measured(try Comparison.time { try RunnerCases.run(pipeline, store: store) }, nil)
          }, allowance: { bytes / 1.2e9 })
      },
      Case(
        "artifact/audit", "a store of 2 × \(mebibytes) MiB", .bytes(2 * bytes), rounds: 3,
        against: [
          Baseline(name: "sha256sum", kind: .alternative, row: TargetRow(name: "audit beside sha256sum", target: 4))
        ]
      ) {
        let store = try stored()
        try RunnerCases.run(RunnerCases.weights(mebibytes: mebibytes - 8), store: store)
        return Run(
          body: {
            let report = try Auditor(store: Store(path: store, registry: RunnerCases.registry)).audit()
            guard report.isSound else { throw Comparison.Failure(description: "the audit is not clean") }
            return .digest(CanonicalValue.integer(report.bytes).digest)
          }, alternative: { _ in RunnerProcess.tool("sh", "-c", "sha256sum \(store)/objects/*/*.h5") })
      },
    ]
  }

  /// Peak memory beyond the weights themselves.
  private var memoryPeaks: [Case] {
    [
      Case(
        "artifact/save/memory", shape + ", beyond the weights", .memory, rounds: 1,
        against: [limit("memory of saving, beyond the tensors: at most 256 MB")]
      ) {
        Run(
          body: { .measured(try RunnerProcess.bytes("save", mebibytes, Scratch.make("save-memory") + "/store"), nil) },
          allowance: { 256e6 })
      },
      Case(
        "artifact/audit/memory", shape + ", contents too", .memory, rounds: 1,
        against: [limit("memory of a deep audit: at most 256 MB")]
      ) {
        let store = try stored()
        return Run(body: { .measured(try RunnerProcess.bytes("audit", 0, store), nil) }, allowance: { 256e6 })
      },
    ]
  }
}
