import Determinism
import Foundation
import Pipelines

/// The overhead of the runner and its store, compared with limits and with system tools that do the same.
///
/// For a graph of this shape other tools need, on two cores: to find 10,000 stages up to date, ninja 0.03 s, doit 0.7,
/// redun 100, DVC 87; to run `cp` 1,000 times, make 1.5 s, doit 2.6, Snakemake 14, redun 35. None of them syncs.
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
  ] + ArtifactSuite(mebibytes: options.quick ? 256 : 1024).cases
}

func limit(_ row: String) -> Baseline {
  Baseline(name: "limit", kind: .allowance, row: TargetRow(name: row, target: 1))
}

/// Makes a store with a finished run.
private func prepared(_ kind: String, _ count: Int) throws -> String {
  let store = "\(Scratch.folder)/\(kind)-\(count)"
  if !FileManager.default.fileExists(atPath: store) {
    try RunnerCases.run(kind == "chains" ? RunnerCases.chains(count) : RunnerCases.fan(count), store: store)
  }
  return store
}

/// Compares the time per instance among 10,000 with that among 100: at most one and a half times as long.
private func growth(_ name: String, isFirst: Bool) -> Case {
  func seconds(_ count: Int) throws -> Double {
    let store = try isFirst ? Scratch.make("growth-\(count)") + "/store" : prepared("chains", count)
    let pipeline = try RunnerCases.chains(count)
    return try Comparison.time { try RunnerCases.run(pipeline, store: store) } / Double(count)
  }
  let row = TargetRow(
    name: "\(isFirst ? "first run" : "nothing to do"): an instance of 100 beside one of 10,000", target: 1 / 1.5)
  return Case(
    name, "an instance of 100 and of 10,000", .calls(1), rounds: isFirst ? 1 : 5,
    against: [Baseline(name: "among 100", kind: .allowance, row: row)]
  ) {
    Run(
      body: { .measured(try seconds(10_000), nil) },
      allowance: { (try? (0..<5).map { _ in try seconds(100) }.sorted()[2]) ?? 0 })
  }
}
