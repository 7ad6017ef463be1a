import Determinism
import Foundation
import Pipelines

/// The costs of the runner and its store, against limits and against what the system's own tools need for the same.
///
/// For a graph of this shape others need, on two cores: to find 10,000 stages up to date ninja 0.03 s, doit 0.7, redun
/// 100, DVC 87; to run 1,000 of `cp` make 1.5 s, doit 2.6, Snakemake 14, redun 35. None of them syncs.
func runnerSuite(_ options: Options) -> [Case] {
  let tens = 10_000
  return [
    Case(
      "runner/cached", "\(tens) instances in chains, a process", .calls(Double(tens)), rounds: 3,
      against: [limit("nothing to do, 10,000 instances: at most 0.3 s")]
    ) {
      let store = try prepared("chains", tens)
      return Run(body: { .measured(try RunnerProcess.seconds("chains", tens, store), nil) }, allowance: { 0.3 })
    },
    Case(
      "runner/cached elements", "\(tens) elements of an array, a process", .calls(Double(tens)), rounds: 3,
      against: [limit("nothing to do, 10,000 elements: at most 0.3 s")]
    ) {
      let store = try prepared("fan", tens)
      return Run(body: { .measured(try RunnerProcess.seconds("fan", tens, store), nil) }, allowance: { 0.3 })
    },
    Case(
      "runner/cached/memory", "\(tens) instances", .memory, rounds: 1,
      against: [limit("nothing to do, 10,000 instances: at most 150 MB")]
    ) {
      let store = try prepared("chains", tens)
      return Run(body: { .measured(try RunnerProcess.bytes("chains", tens, store), nil) }, allowance: { 150e6 })
    },
    Case(
      "runner/first run", "1000 stages in process, synced", .calls(1000), rounds: 3,
      against: [limit("1,000 trivial stages: at most 1.5 s")]
    ) {
      let pipeline = try RunnerCases.chains(1000)
      return Run(
        prepare: { _ = try Scratch.make("first") },
        body: { .digest(try RunnerCases.run(pipeline, store: Scratch.folder + "/first/store").root!) },
        allowance: { 1.5 })
    },
    Case(
      "runner/commands", "1000 programs that do nothing, in their sandboxes, synced", .calls(1000), rounds: 3,
      against: [limit("1,000 programs: at most 4 s")]
    ) {
      let pipeline = try RunnerCases.commands(1000)
      return Run(
        prepare: { _ = try Scratch.make("commands") },
        body: { .digest(try RunnerCases.run(pipeline, store: Scratch.folder + "/commands/store").root!) },
        allowance: { 4 })
    },
    growth("runner/cached/growth", isFirst: false), growth("runner/first run/growth", isFirst: true),
  ] + artifactCases(mebibytes: options.quick ? 256 : 1024)
}

private func limit(_ row: String) -> Opponent {
  Opponent(name: "limit", kind: .allowance, row: Row(name: row, target: 1))
}

/// A store with a finished run.
private func prepared(_ kind: String, _ count: Int) throws -> String {
  let store = "\(Scratch.folder)/\(kind)-\(count)"
  if !FileManager.default.fileExists(atPath: store) {
    try RunnerCases.run(kind == "chains" ? RunnerCases.chains(count) : RunnerCases.fan(count), store: store)
  }
  return store
}

/// The time of one instance among 10,000 beside that of one among 100: at most one and a half times as long.
private func growth(_ name: String, isFirst: Bool) -> Case {
  func seconds(_ count: Int) throws -> Double {
    let store = try isFirst ? Scratch.make("growth-\(count)") + "/store" : prepared("chains", count)
    let pipeline = try RunnerCases.chains(count)
    return try Contest.time { try RunnerCases.run(pipeline, store: store) } / Double(count)
  }
  let row = Row(
    name: "\(isFirst ? "first run" : "nothing to do"): an instance of 100 beside one of 10,000", target: 1 / 1.5)
  return Case(
    name, "an instance of 100 and of 10,000", .calls(1), rounds: isFirst ? 1 : 5,
    against: [Opponent(name: "among 100", kind: .allowance, row: row)]
  ) {
    Run(
      body: { .measured(try seconds(10_000), nil) },
      allowance: { (try? (0..<5).map { _ in try seconds(100) }.sorted()[2]) ?? 0 })
  }
}

/// Artifacts of weights: saving, reading, checking, and the memory of that.
private func artifactCases(mebibytes: Int) -> [Case] {
  let bytes = Double(mebibytes << 20)
  let shape = "\(mebibytes) MiB of weights"
  /// Where a sync costs nothing.
  let memory = "/dev/shm/\(URL(fileURLWithPath: Scratch.folder).lastPathComponent)"
  func saving(to folder: String) -> Run {
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
  func stored() throws -> String {
    let store = Scratch.folder + "/weights"
    try RunnerCases.run(RunnerCases.weights(mebibytes: mebibytes), store: store)
    return store
  }
  return [
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
        Opponent(
          name: "dd conv=fsync", kind: .rival, row: Row(name: "saving weights with the sync, beside dd", target: 0.9))
      ]
    ) {
      let folder = Scratch.folder + "/synced"
      var run = saving(to: folder)
      run.rival = { _ in
        RunnerProcess.tool("dd", "if=\(RunnerProcess.largest(folder))", "of=\(folder)/copy", "bs=1M", "conv=fsync")
      }
      return run
    },
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
          return .measured(try Contest.time { try RunnerCases.run(pipeline, store: store) }, nil)
        }, allowance: { bytes / 1.2e9 })
    },
    Case(
      "artifact/audit", "a store of 2 × \(mebibytes) MiB", .bytes(2 * bytes), rounds: 3,
      against: [Opponent(name: "sha256sum", kind: .rival, row: Row(name: "audit beside sha256sum", target: 4))]
    ) {
      let store = try stored()
      try RunnerCases.run(RunnerCases.weights(mebibytes: mebibytes - 8), store: store)
      return Run(
        body: {
          let report = try Auditor(store: Store(path: store, registry: RunnerCases.registry)).audit()
          guard report.isSound else { throw Contest.Failure(description: "the audit is not clean") }
          return .digest(CanonicalValue.integer(report.bytes).digest)
        }, rival: { _ in RunnerProcess.tool("sh", "-c", "sha256sum \(store)/objects/*/*.h5") })
    },
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

/// Processes that are measured as a whole.
private enum RunnerProcess {
  static func seconds(_ kind: String, _ count: Int, _ store: String) throws -> Double {
    try Contest.time { _ = try bytes(kind, count, store) }
  }

  /// The peak of memory that the process tells.
  static func bytes(_ kind: String, _ count: Int, _ store: String) throws -> Double {
    let process = Process()
    let output = Pipe()
    process.executableURL = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
    process.arguments = ["--runner-child", kind, String(count), store]
    process.standardOutput = output
    try process.run()
    let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    guard process.terminationStatus == 0, let bytes = Double(text.filter { !$0.isWhitespace }) else {
      throw Contest.Failure(description: "\(kind) \(count): the process of its own failed")
    }
    return bytes
  }

  /// Runs a tool of the system to its end.
  static func tool(_ arguments: String...) {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = arguments
    process.standardOutput = FileHandle.nullDevice
    process.standardError = FileHandle.nullDevice
    try? process.run()
    process.waitUntilExit()
  }

  /// The artifact of a store.
  static func largest(_ folder: String) -> String {
    let names = (FileManager.default.enumerator(atPath: folder)?.allObjects as? [String]) ?? []
    return folder + "/" + (names.first { $0.hasSuffix(".h5") } ?? "none")
  }
}
