import Determinism
import Foundation
import Testing

extension EndToEndTests {
  @Suite("Results are cached")
  struct CachingTests {
    @Test("a second run executes nothing and prints the same root")
    func again() async throws {
      let finished = try await Reference.finished
      let outcome = try await Program.run(Smoke.arguments("run", store: finished.store))
      #expect(outcome.code == 0)
      #expect(outcome.root == finished.outcome.finalRoot)
      #expect(outcome.lines.last?.hasPrefix("root ") == true)
      #expect(outcome.errors.contains("0 executed, 71 cached"), "\(outcome.errors)")
    }

    @Test("a file with renamed stages in another folder finds every result")
    func renamed() async throws {
      let finished = try await Reference.finished
      try await withTemporaryFolder { folder in
        try RenamedPipeline.text.write(toFile: folder + "/p.yaml", atomically: true, encoding: .utf8)
        let outcome = try await Program.run(
          Smoke.arguments("run", store: finished.store, pipeline: "p.yaml"), in: folder)
        #expect(outcome.root == finished.outcome.finalRoot)
        #expect(outcome.errors.contains("0 executed, 71 cached"), "\(outcome.errors)")
      }
    }

    @Test("a changed parameter of retrain reruns retrain and what depends on it")
    func parameter() async throws {
      try await Reference.withCopy { store in
        let change = ["--set", "retrain.recipe.base-rate=0.02"]
        let plan = try await Program.run(Smoke.arguments("plan", change + ["--json"], store: store))
        let open = (plan.json["stages"]?.arrayValue ?? []).filter { $0["state"]?.stringValue != "cached" }
        #expect(open.compactMap { $0["name"]?.stringValue } == ["retrain", "predict", "quality"])

        let words = try await Program.run(Smoke.arguments("plan", change, store: store))
        #expect(words.output.contains("parameter recipe.base-rate was 0.01, is 0.02"), "\(words.output)")

        let run = try await Smoke.run(store: store, Smoke.Setting(), change)
        #expect(run.code == 0, "\(run.errors)")
        #expect(run.events.filter { $0.name == "started" }.map(\.stage) == ["retrain", "predict", "quality"])
        let root = try #require(run.finalRoot)
        #expect(root != Smoke.root)
        // Back at the old value everything is cached.
        #expect(try await Program.run(Smoke.arguments("run", store: store)).root == Smoke.root)
      }
    }

    @Test("rerun executes a stage again and reports whether it reproduced")
    func rerun() async throws {
      let store = try await Reference.finished.store
      let outcome = try await Program.run(
        ["rerun", Smoke.pipeline, "finetune", "evaluate[3]", "--threads", "1", "--profile", "smoke", "--store", store])
      #expect(outcome.code == 0, "\(outcome.everything)")
      #expect(outcome.lines.count == 2)
      #expect(outcome.lines[0].hasPrefix("finetune: reproduced"))
      #expect(outcome.lines[1].hasPrefix("evaluate[3]: reproduced"))
    }
  }
}
