import Determinism
import Foundation
import Testing

@testable import ArtifactStore
@testable import PipelineModel
@testable import PipelineRunner
@testable import Provenance

@Suite("Results are reproduced, compared and repaired", .serialized)
struct ReproduceTests {
  /// Stores in which `SecondUnstable` gave different results, one value each.
  private func unstableBenches(_ text: String, values: [Int]) throws -> [Bench] {
    try values.map { value in
      TestControls.secondUnstableValue.store(value, ordering: .relaxed)
      let bench = try Bench()
      try bench.run(text)
      return bench
    }
  }

  // MARK: Recomputing

  @Test("a sample is drawn by its seed, executed from records alone, and leaves no trace")
  func recompute() throws {
    let bench = try Bench()
    try bench.run(Toys.search)
    let before = try bench.files("")
    let store = try Store(observing: bench.storePath, registry: bench.registry)
    func drawn(_ count: Int, seed: UInt64) throws -> [String] {
      let report = try Recomputation(store: store, variables: [:], options: RunOptions()).recompute(count, seed: seed)
      #expect(report.isReproduced && report.candidates == 6 && report.notRestorable.isEmpty)
      return report.instances.map(\.name)
    }
    #expect(try drawn(9, seed: 1).sorted() == ["judge[0]", "judge[1]", "judge[2]", "pool", "pretrain", "select"])
    let few = try (0..<8).map { try drawn(2, seed: $0) }
    #expect(few.allSatisfy { $0.count == 2 } && Set(few).count > 3)
    #expect(try drawn(2, seed: 3) == few[3] && drawn(9, seed: 3).prefix(2) == few[3][...])
    #expect(try bench.files("") == before)
  }

  @Test("what does not reproduce, fails or belongs to another version is told apart")
  func recomputeFailures() throws {
    let text = "pipeline: p\nstages:\n  first: { uses: second-unstable }\n  train: { uses: train }\n"
    let bench = try unstableBenches(text, values: [1])[0]
    TestControls.secondUnstableValue.store(2, ordering: .relaxed)
    func report(_ registry: StageRegistry) throws -> Recomputation.Report {
      let store = try Store(observing: bench.storePath, registry: registry)
      return try Recomputation(store: store, variables: [:], options: RunOptions()).recompute(9, seed: 0)
    }
    let differing = try report(bench.registry)
    #expect(!differing.isReproduced)
    #expect(
      differing.instances.first { $0.name == "first" }?.differences.last?.hasSuffix(": value: 1 against 2") == true)
    let other = try report(Toys.registry(numerics: "2"))
    #expect(other.candidates == 1 && other.notRestorable.count == 1)
    #expect(other.notRestorable[0].contains("'train' can't be executed: numerics is 2 now, not 1"))
  }

  @Test("a stage that reads a source is recomputed with the folder it is given, while the files are the same")
  func recomputeSource() throws {
    let bench = try Bench()
    try FileManager.default.createDirectory(atPath: bench.folder + "/train", withIntermediateDirectories: true)
    try save("one", to: bench.folder + "/train/1")
    bench.variables["TOY"] = bench.folder
    try bench.run(
      "pipeline: p\nstages:\n  data: { uses: folder }\n  a: { uses: train, needs: { data: data.train } }\n")
    defer { withExtendedLifetime(bench) {} }
    let store = try Store(observing: bench.storePath, registry: bench.registry)
    func recompute(_ variables: [String: String]) throws -> Recomputation.Report {
      try Recomputation(store: store, variables: variables, options: RunOptions()).recompute(5, seed: 0)
    }
    #expect(try recompute(bench.variables).instances.map(\.isReproduced) == [true])
    #expect(try recompute([:]).failures.first?.message.contains("set TOY=") == true)
    try save("two", to: bench.folder + "/train/1")
    #expect(try recompute(bench.variables).failures.first?.message.contains("they changed") == true)
  }

  // MARK: Repair

  private func damage(_ bench: Bench, _ artifact: Artifact, _ harm: (String) throws -> Void) throws {
    let path = try bench.store().objectPath(artifact)
    try harm(artifact.kind == TreeFormat.name ? path + "/files/flat.txt" : path)
  }

  private func flip(_ path: String) throws {
    var bytes = try Files.read(path)
    bytes[0] ^= 1
    try Files.remove(path)
    try Files.write(bytes, to: path)
  }

  /// Which stages a repair executes, and what it reports.
  private func repair(_ bench: Bench, _ targets: [String] = []) throws -> (RepairReport, executed: [String]) {
    let executed = Recorder()
    let repairer = Repairer(store: try bench.store(), variables: bench.variables, options: RunOptions()) {
      if case .started(let stage, _, _) = $0 { executed.note(stage) }
    }
    return (try repairer.repair(targets), executed.notes.sorted())
  }

  @Test("each damaged or missing artifact is made anew by its stage alone", arguments: [false, true])
  func repair(isMissing: Bool) throws {
    let bench = try Bench()
    let root = try bench.run(Toys.search).result.root
    let plan = try bench.observer(Toys.search).plan()
    for stage in plan.stages {
      for instance in stage.instances {
        for (output, artifact) in instance.outputs.sorted(by: { $0.key < $1.key }) {
          try damage(bench, artifact) { try isMissing ? Files.remove($0) : flip($0) }
          #expect(try !bench.audit().isSound)
          let (report, executed) = try repair(bench)
          #expect(report.isComplete && report.items.count == 1)
          #expect(report.items.first?.subject == "output '\(output)' of '\(instance.name)'")
          #expect(executed == [instance.name])
          #expect(try bench.audit().isSound)
          let aside = try bench.files("damaged")
          #expect(isMissing ? aside.allSatisfy { $0.hasSuffix(".sha256") || $0.contains(".tree/") } : !aside.isEmpty)
          try Files.remove(bench.storePath + "/damaged")
        }
      }
    }
    #expect(try repair(bench).0.items.isEmpty)
    #expect(try bench.run(Toys.search).result.root == root)
  }

  @Test("what a damaged stage reads is repaired first")
  func chain() throws {
    let bench = try Bench()
    try bench.run(Toys.search)
    for file in try bench.files("objects") { try Files.remove(bench.storePath + "/" + file) }
    let (report, executed) = try repair(bench, ["select"])
    #expect(report.isComplete)
    // The element objects come from the array, and need no execution.
    #expect(executed == ["judge[0]", "judge[1]", "judge[2]", "pool", "pretrain", "select"])
    #expect(try bench.audit().isSound && bench.observer(Toys.search).plan().isUpToDate)
  }

  @Test("elements of arrays are taken from their array again")
  func element() throws {
    let bench = try Bench()
    try bench.run(Toys.search)
    let value: CanonicalValue = ["gene": 1]
    try flip(bench.store().objectPath(Artifact(kind: "json", digest: value.digest)))
    let (report, executed) = try repair(bench, [String(value.digest.hex.prefix(8))])
    #expect(report.isComplete && report.items.count == 1 && executed == [])
    #expect(try bench.audit().findings.isEmpty)
  }

  @Test("the manifest of a source is made anew from its folder, while the files are the same")
  func source() throws {
    let bench = try Bench()
    try FileManager.default.createDirectory(atPath: bench.folder + "/train", withIntermediateDirectories: true)
    try save("one", to: bench.folder + "/train/1")
    bench.variables["TOY"] = bench.folder
    try bench.run("pipeline: p\nstages:\n  data: { uses: folder }\n")
    let manifest = try #require(try bench.files("objects").first { $0.hasSuffix(".manifest") })
    try flip(bench.storePath + "/" + manifest)
    try save("two", to: bench.folder + "/train/1")
    let changed = try repair(bench).0.items.first?.outcome
    guard case .impossible(let why)? = changed else { Issue.record("\(String(describing: changed))"); return }
    #expect(why.contains("they changed"))
    try save("one", to: bench.folder + "/train/1")
    #expect(try repair(bench).0.isComplete && bench.audit().isSound)
  }

  @Test("what another version made is not replaced by something else")
  func otherVersion() throws {
    let bench = try Bench()
    try bench.run("pipeline: p\nstages:\n  train: { uses: train }\n")
    let object = try #require(try bench.files("objects").first { $0.hasSuffix(".json") })
    try flip(bench.storePath + "/" + object)
    bench.registry = Toys.registry(numerics: "2")
    let (report, executed) = try repair(bench)
    #expect(!report.isComplete && !report.hasDifferences && executed == [])
    #expect(try bench.files("objects").contains(object))
  }

  @Test("a result that does not reproduce is not stored")
  func different() throws {
    let bench = try unstableBenches("pipeline: p\nstages:\n  first: { uses: second-unstable }\n", values: [1])[0]
    let object = try #require(try bench.files("objects").first { $0.hasSuffix(".json") })
    try flip(bench.storePath + "/" + object)
    TestControls.secondUnstableValue.store(2, ordering: .relaxed)
    let (report, _) = try repair(bench)
    #expect(report.hasDifferences && !report.isComplete)
    // What is damaged stays until what replaces it is there.
    #expect(try bench.files("objects").count == 2 && bench.files("damaged").isEmpty)
    TestControls.secondUnstableValue.store(1, ordering: .relaxed)
    #expect(try repair(bench).0.isComplete)
  }

  @Test("a damaged record is set aside, and the next run makes it anew")
  func record() throws {
    let bench = try Bench()
    let root = try bench.run(Toys.search).result.root
    let record = try #require(try bench.files("records").first)
    try flip(bench.storePath + "/" + record)
    let (report, executed) = try repair(bench)
    #expect(report.items.map(\.outcome) == [.setAside] && executed == [])
    #expect(try bench.run(Toys.search).executed.count == 1)
    #expect(try bench.run(Toys.search).result.root == root)
    #expect(throws: PipelineError.self) { try repair(bench, ["selekt"]) }
  }

  // MARK: Comparing

  @Test("names stand for the newest output or record; artifacts are compared place by place")
  func diff() throws {
    let text = "pipeline: p\nstages:\n  pool: { uses: candidates }\n"
    let (a, b) = (try Bench(), try Bench())
    defer { withExtendedLifetime((a, b)) {} }
    try a.run(text)
    try b.run(text, settings: ["pool.genes=[1, 5, 3]"])
    let lookup = Lookup(store: try a.store())
    let comparison = try lookup.compare("pool.list", to: "pool.list", in: Lookup(store: b.store()), limit: 5)
    #expect(comparison.places.map(\.description) == ["[1].gene: 2 against 5"] && !comparison.isEqual)
    #expect(try lookup.compare("pool.list", to: "pool.list", in: lookup, limit: 5).isEqual)
    let records = try lookup.compare("pool", to: "pool", in: Lookup(store: b.store()), limit: 5)
    #expect(records.keys.map(\.description) == ["parameter genes[1] was 2, is 5"])
    let misspelt = #expect(throws: PipelineError.self) { try lookup.find("pool.lits") }
    #expect(misspelt?.message.contains("did you mean 'list'?") == true)
    #expect(throws: PipelineError.self) { try lookup.find("pol") }
    #expect(throws: PipelineError.self) { try lookup.compare("pool", to: "pool.list", in: lookup, limit: 5) }
  }

  @Test("trees are compared file by file")
  func trees() {
    func manifest(_ files: [(String, String)]) -> TreeManifest {
      TreeManifest(files.map { .init(path: $0.0, size: $0.1.count, sha256: Digest(of: $0.1)) })
    }
    let a = manifest([("a", "1"), ("b", "2"), ("d", "4")])
    let b = manifest([("a", "1"), ("b", "3"), ("c", "3"), ("e", "5")])
    let places = a.differences(to: b)
    #expect(places.map(\.place) == ["b", "c", "d", "e"])
    #expect(places.map(\.first).map { $0 == "absent" } == [false, true, false, true])
    #expect(places.map(\.second).map { $0 == "absent" } == [false, false, true, false])
    #expect(a.differences(to: a).isEmpty && a.differences(to: b, limit: 1) == [places[0]])
  }

  // MARK: Bisecting

  @Test("two runs part where something was told otherwise, and at the first step that shows it")
  func bisectParameters() throws {
    let bench = try Bench()
    defer { withExtendedLifetime(bench) {} }
    try bench.run(Toys.search)
    try bench.run(Toys.search, seed: 8)
    let store = try bench.store()
    let runs = try RunHistory(store: store).ids()
    #expect(runs.count == 2)
    let report = try Bisection(.init(run: runs[0], of: store), .init(run: runs[1], of: store)).report()
    #expect(report.compared == 6 && report.onlyInFirst.isEmpty && report.onlyInSecond.isEmpty)
    // The evaluations ignore the weights, so only the weights differ.
    #expect(report.partings.map(\.stage) == ["pretrain"])
    #expect(report.origin?.differences.map(\.description) == ["seed was 7, is 8"])
    #expect(report.origin?.trace?.step == 1 && report.origin?.trace?.name == "sum")
    #expect(report.origin?.changes.first?.differences.first?.place == "sum")
    let same = try Bisection(.init(run: runs[0], of: store), .init(run: runs[0], of: store)).report()
    #expect(same.isEqual && same.origin == nil)
  }

  @Test("what follows from an earlier difference is not where runs part")
  func bisectStores() throws {
    let text = """
      pipeline: p
      stages:
        first: { uses: second-unstable }
        pool: { uses: candidates }
        judge: { uses: refine, for-each: pool.list, needs: { quality: first.value, architecture: each } }
        select: { uses: gather, needs: { qualities: judge.refined } }
      """
    let benches = try unstableBenches(text, values: [1, 2])
    defer { withExtendedLifetime(benches) {} }
    let report = try Bisection(.init(store: benches[0].store()), .init(store: benches[1].store())).report()
    try #require(report.partings.map(\.stage) == ["first", "judge[0]", "judge[1]", "judge[2]", "select"])
    #expect(report.partings.map(\.isOrigin) == [true, false, false, false, false])
    #expect(report.partings[1].inherited == ["quality"])
    #expect(report.origin?.differences.isEmpty == true)
    #expect(report.origin?.trace?.description == "step 7, value")
  }

  @Test("a trace names the first step, how many tensors differ, and the last step that agreed")
  func trace() {
    func trace(_ steps: [Int: [String: String]]) -> Trace {
      var trace = Trace()
      for (step, names) in steps {
        for (name, text) in names { trace.note(step: step, name: name, digest: Digest(of: text)) }
      }
      return trace
    }
    let a = trace([1: ["x": "1"], 2: ["state": "s"], 4: ["x": "2", "y": "3", "z": "4"], 8: ["x": "5"]])
    let b = trace([1: ["x": "1"], 2: ["other": "t"], 4: ["x": "2", "y": "0", "z": "0"], 8: ["x": "9"]])
    #expect(a.firstDifference(to: b)?.description == "step 4, y and 1 more of 3; equal until step 1")
    #expect(a.firstDifference(to: a) == nil)
  }

  @Test("a journal tells a run, cached stages included")
  func history() throws {
    let bench = try Bench()
    defer { withExtendedLifetime(bench) {} }
    let root = try bench.run(Toys.search).result.root
    try bench.run(Toys.search)
    try bench.run(Toys.search, settings: ["pool.genes=[3, 1, 5]"])
    let history = RunHistory(store: try bench.store())
    let runs = try history.ids().map { try history.run($0) }
    #expect(runs.count == 2 && runs[0].root == root)
    #expect(runs.map(\.end) == [.finished, .finished])
    #expect(runs.map(\.steps.count) == [6, 6])
    #expect(runs[0].steps.allSatisfy { $0.state == .executed && $0.seconds != nil && !$0.outputs.isEmpty })
    let second = Dictionary(uniqueKeysWithValues: runs[1].steps.map { ($0.stage, $0.state) })
    #expect(second["pretrain"] == .cached && second["judge[2]"] == .executed && second["pool"] == .executed)
    #expect(throws: PipelineError.self) { try history.run("1999") }
  }
}
