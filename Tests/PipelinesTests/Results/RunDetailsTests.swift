import Determinism
import Foundation
import Testing

@testable import ArtifactStore
@testable import PipelineModel
@testable import PipelineRunner
@testable import Provenance
@testable import Results

extension Bench {
  /// Runs a pipeline as `run --name` and `--set` do.
  @discardableResult
  func run(_ text: String, named name: String?, seed: UInt64? = nil, settings: [String] = []) throws -> RunResult {
    var options = options
    options.details.name = name
    options.details.seed = seed
    options.details.settings = settings
    return try Runner(planner: planner(text, seed: seed, settings: settings), options: options).run()
  }
}

@Suite("Names, tags and entries of runs")
struct RunDetailsTests {
  private static let text = "pipeline: p\nseed: 7\nstages:\n  pool: { uses: candidates }\n  train: { uses: train }\n"

  @Test("a run that finds everything cached has an entry where it has a name or was asked for something else")
  func entries() throws {
    let bench = try Bench()
    let history = RunHistory(store: try bench.store())
    func count(_ name: String?, _ seed: UInt64?, _ settings: [String] = []) throws -> Int {
      try bench.run(Self.text, named: name, seed: seed, settings: settings)
      return try history.ids().count
    }
    #expect(try count(nil, 7) == 1)
    #expect(try count(nil, 7) == 1)
    #expect(try count("again", 7) == 2)
    #expect(try count(nil, 7) == 2)
    #expect(try count(nil, 8) == 3)
    // Everything is there, but the last run was of another seed.
    #expect(try count(nil, 7) == 4)
    #expect(try history.run("again").steps.map(\.state) == [.cached, .cached])
    #expect(try history.run("again").root == history.run(history.ids()[0]).root)
  }

  @Test("what a run was asked for is in its journal, and journals without it are read")
  func details() throws {
    let bench = try Bench()
    var details = RunDetails()
    details.name = "n"
    details.arguments = ["run", "p.yaml"]
    details.profile = "smoke"
    details.seed = .max
    details.settings = ["train.steps=3"]
    details.commit = "c0ffee"
    details.environments = ["python": ["version": "3.12"]]
    details.machine = ["threads": 2]
    #expect(RunDetails(canonical: details.canonical) == details)
    #expect(RunDetails(canonical: .null) == RunDetails())
    try bench.run(Self.text)
    let history = RunHistory(store: try bench.store())
    let id = try #require(history.ids().first)
    let journal = "\(bench.storePath)/runs/\(id)/journal.jsonl"
    var lines = String(decoding: try Files.read(journal), as: UTF8.self).split(separator: "\n").map(String.init)
    lines[0] = #"{"event":"run-started","pipeline":"p","run":"x","time":"t"}"#
    try Files.write(Array((lines.joined(separator: "\n") + "\n").utf8), to: journal)
    let old = try history.run(id)
    #expect(old.pipeline == "p" && old.details == nil && old.end == .finished)
    // Nothing says that it was asked for something else.
    try bench.run(Self.text, named: nil, seed: 7)
    #expect(try history.ids().count == 1)
  }

  @Test("an instance that finds the result of an equal one, before that is said to be done, leaves both complete")
  func equalInstances() throws {
    let bench = try Bench()
    try bench.run(Self.text)
    let history = RunHistory(store: try bench.store())
    let id = try #require(history.ids().first)
    let key = Digest(of: "k").hex
    func event(_ name: String, _ stage: String) -> String {
      #"{"event":"\#(name)","key":"\#(key)","stage":"\#(stage)"}"#
    }
    let lines = [
      #"{"event":"run-started","pipeline":"p"}"#, event("started", "j[0]"), event("cached", "j[2]"),
      event("finished", "j[0]"), #"{"event":"run-finished"}"#,
    ]
    try Files.write(Array(lines.joined(separator: "\n").utf8), to: "\(bench.storePath)/runs/\(id)/journal.jsonl")
    let run = try history.run(id)
    #expect(run.steps.map(\.state) == [.executed, .cached] && run.end == .finished)
  }

  @Test("tags find the newest run that has them, and 'gc --keep-runs' keeps runs with tags")
  func tags() throws {
    let bench = try Bench()
    for seed in [1, 2, 3] as [UInt64] { try bench.run(Self.text, named: "same", seed: seed) }
    let history = RunHistory(store: try bench.store())
    let ids = try history.ids()
    #expect(try history.run("same").id == ids[2])
    try history.addTags(["best", "b2"], to: ids[0])
    try history.addTags(["best"], to: ids[1])
    #expect(try history.run("best").id == ids[1] && history.run("b2").id == ids[0])
    #expect(try history.newest(9, tag: "best").map(\.id) == [ids[1], ids[0]])
    try history.removeTags(["best"], from: ids[1])
    #expect(try history.run("best").id == ids[0])
    #expect(throws: PipelineError.self) { try history.removeTags(["best"], from: ids[1]) }
    for tag in ["", "a/b", "..", "-x", "a b"] {
      #expect(throws: PipelineError.self) { try history.addTags([tag], to: ids[0]) }
    }
    let garbage = try GarbageCollector(store: bench.store()).find(runs: 1)
    #expect(garbage.items.filter { $0.path.hasPrefix("runs/") }.map(\.path) == ["runs/\(ids[1])"])
  }
}
