import Determinism
import Foundation
import Testing

extension EndToEndTests {
  @Suite("runs, compare, curves, get, lineage")
  struct ResultsTests {
    private static let text = """
      pipeline: sweep
      seed: 1
      stages:
        train:
          uses: command
          with:
            run: 'printf "{\\"score\\": %s}" $PARAMETER_rate > m.json; printf "step,loss\\n1,4\\n2,$SEED\\n" > c.csv'
            tools: [printf]
            random: true
            parameters: { rate: 0.5 }
            metrics: m.json
            history: c.csv
      """

    /// Runs the program in a folder with the pipeline and a store of two runs.
    private func inFolder(_ body: (_ run: ([String]) async throws -> Program.Outcome) async throws -> Void) async throws
    {
      try await withTemporaryFolder { folder in
        try Self.text.write(toFile: folder + "/p.yaml", atomically: true, encoding: .utf8)
        func run(_ arguments: [String]) async throws -> Program.Outcome { try await Program.run(arguments, in: folder) }
        for more in [["--name", "base"], ["--set", "train.rate=0.75", "--seed", "2"]] {
          let outcome = try await run(["run", "p.yaml"] + more)
          #expect(outcome.code == 0 && outcome.output.contains("train: score 0."), "\(outcome.everything)")
        }
        try await body(run)
      }
    }

    @Test("a run is found by its name and its tag, and compared by what was set and what came out")
    func compared() async throws {
      try await inFolder { run in
        let runs = try await run(["runs", "--format", "json"]).json.arrayValue ?? []
        #expect(runs.map { $0["details"]?["name"]?.stringValue } == [nil, "base"])
        #expect(runs.first?["details"]?["settings"] == ["train.rate=0.75"])
        let id = try #require(runs.first?["run"]?.stringValue)
        #expect(try await run(["tag", id, "best"]).code == 0)
        let compared = try await run(["compare", "base", "best", "--format", "csv"])
        #expect(
          compared.output == "run,seed,train.rate,train.score\nbase,1,0.5,0.5\n\(id),2,0.75,0.75\n",
          "\(compared.everything)")
        let grouped = try await run(["compare", "p.yaml", "--by", "seed"])
        #expect(grouped.output.contains("0.6250 ± 0.1768 (2)"), "\(grouped.everything)")
        for (arguments, hint) in [
          (["compare", "bse", "best"], "no run 'bse'"), (["compare", "p.yaml", "--by", "sed"], "did you mean 'seed'?"),
          (["compare", "p.yaml", "--sort", "train.scor"], "did you mean 'train.score'?"),
          (["tag", "best", "a/b"], "can't be a tag"), (["curves", "trian"], "did you mean 'train'?"),
        ] {
          let outcome = try await run(arguments)
          #expect(outcome.code == 65 && outcome.errors.contains(hint), "\(arguments): \(outcome.everything)")
        }
      }
    }

    @Test("artifacts are drawn, taken out, described and traced back")
    func artifacts() async throws {
      try await inFolder { run in
        let curve = try await run(["curves", "train", "--run", "base", "-o", "c.svg", "--tensorboard", "events"])
        #expect(curve.code == 0 && curve.errors.contains("events/train/events.out.tfevents"), "\(curve.everything)")
        #expect(try await run(["curves", "train"]).output.contains("4.0000 -> 2.0000"))
        let copy = try await run(["get", "train.history"])
        #expect(copy.code == 0 && copy.lines.first?.hasSuffix("/train.history.json") == true, "\(copy.everything)")
        #expect(try await run(["get", "train.history"]).code == 65)
        #expect(try await run(["get", "train.history", "--force"]).code == 0)
        let lineage = try await run(["lineage", "train.history.json"])
        #expect(lineage.output.hasPrefix("train.history  history "), "\(lineage.everything)")
        let record = try await run(["show", "train"])
        #expect(
          record.output.contains("parameters") && record.output.contains("pipeline sweep"), "\(record.everything)")
        #expect(try await run(["show", "train", "--json"]).json["identity"]?["kind"] == "command")
        let metrics = try await run(["show", "train.metrics", "--json"]).json
        #expect(metrics["value"]?["score"] == 0.75)
        let log = try await run(["log", "base"])
        #expect(log.output.contains("command autopanoptic run p.yaml --name base"), "\(log.everything)")
      }
    }
  }
}
