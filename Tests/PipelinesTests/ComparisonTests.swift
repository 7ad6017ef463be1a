import Determinism
import Foundation
import Testing

@testable import ArtifactStore
@testable import PipelineModel
@testable import PipelineRunner
@testable import Provenance

@Suite("Lookup, Bisection, Trace and RunHistory", .serialized)
struct ComparisonTests {
  private struct Unreproducible: UnreproducibleStage {
    static let hidden = HiddenNumber()
    init(parameters: NoParameters) {}
  }

  @Test("lookup finds the newest output or record by name; artifacts are compared value by value")
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

  @Test("bisection finds the stage with a changed seed and its first differing step")
  func bisectParameters() throws {
    let bench = try Bench()
    defer { withExtendedLifetime(bench) {} }
    try bench.run(TestPipelines.search)
    try bench.run(TestPipelines.search, seed: 8)
    let store = try bench.store()
    let runs = try RunHistory(store: store).ids()
    #expect(runs.count == 2)
    let report = try Bisection(.init(run: runs[0], of: store), .init(run: runs[1], of: store)).report()
    #expect(report.compared == 6 && report.onlyInFirst.isEmpty && report.onlyInSecond.isEmpty)
    // 'evaluate' ignores the weights, so only the weights differ.
    #expect(report.partings.map(\.stage) == ["pretrain"])
    #expect(report.origin?.differences.map(\.description) == ["seed was 7, is 8"])
    #expect(report.origin?.trace?.step == 1 && report.origin?.trace?.name == "sum")
    #expect(report.origin?.changes.first?.differences.first?.place == "sum")
    let same = try Bisection(.init(run: runs[0], of: store), .init(run: runs[0], of: store)).report()
    #expect(same.isEqual && same.origin == nil)
  }

  @Test("bisection does not report stages whose inputs already differ as origins")
  func bisectStores() throws {
    let text = """
      pipeline: p
      stages:
        first: { uses: unreproducible }
        pool: { uses: candidates }
        judge: { uses: refine, for-each: pool.list, needs: { quality: first.number, architecture: each } }
        select: { uses: gather, needs: { qualities: judge.refined } }
      """
    let benches = try Unreproducible.benches(text, results: [1, 2])
    defer { withExtendedLifetime(benches) {} }
    let report = try Bisection(.init(store: benches[0].store()), .init(store: benches[1].store())).report()
    try #require(report.partings.map(\.stage) == ["first", "judge[0]", "judge[1]", "judge[2]", "select"])
    #expect(report.partings.map(\.isOrigin) == [true, false, false, false, false])
    #expect(report.partings[1].inherited == ["quality"])
    #expect(report.origin?.differences.isEmpty == true)
    #expect(report.origin?.trace?.description == "step 7, number")
  }

  @Test("a trace names the first differing step, the number of differing tensors, and the last equal step")
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

  @Test("a journal lists the stages of a run, cached ones included")
  func history() throws {
    let bench = try Bench()
    defer { withExtendedLifetime(bench) {} }
    let root = try bench.run(TestPipelines.search).result.root
    try bench.run(TestPipelines.search)
    try bench.run(TestPipelines.search, settings: ["pool.genes=[3, 1, 5]"])
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
