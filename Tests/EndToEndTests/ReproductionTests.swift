import Determinism
import Foundation
import Testing

extension EndToEndTests {
  @Suite("recompute, diff, repair and bisect")
  struct ReproductionTests {
    @Test("recompute reproduces a sample of stages and only reads the store")
    func recompute() async throws {
      let store = try await Reference.finished.store
      let before = try FileManager.default.subpathsOfDirectory(atPath: store).sorted()
      let outcome = try await Program.run(["audit", "--recompute", "3", "--sample", "5", "--json", "--store", store])
      #expect(outcome.code == 0, "\(outcome.everything)")
      let recomputed = try #require(outcome.json["recomputed"])
      #expect(recomputed["reproduced"]?.boolValue == true && recomputed["instances"]?.arrayValue?.count == 3)
      #expect(try FileManager.default.subpathsOfDirectory(atPath: store).sorted() == before)
    }

    @Test("diff compares artifacts by tensors, fields and files")
    func diff() async throws {
      let store = try await Reference.finished.store
      let weights = try await Program.run([
        "diff", "pretrain-selected.weights", "retrain.weights", "--limit", "0", "--store", store,
      ])
      #expect(weights.code == 2)
      #expect(weights.lines.contains { $0.contains("tensor '") && $0.contains(": absent against present") })
      let same = try await Program.run(["diff", "retrain.weights", "retrain.weights", "--store", store])
      #expect(same.code == 0 && same.output.contains("equal"), "\(same.everything)")
      let results = try await Program.run(
        ["diff", "evaluate[0].result", "evaluate[1].result", "--json", "--store", store])
      let places = (results.json["places"]?.arrayValue ?? []).compactMap { $0["place"]?.stringValue }
      #expect(results.code == 2 && places.contains { $0.hasPrefix("architecture") }, "\(results.everything)")
      let unknown = try await Program.run(["diff", "retrain.weihgts", "retrain.weights", "--store", store])
      #expect(unknown.code == 65 && unknown.errors.contains("did you mean 'weights'?"), "\(unknown.everything)")
    }

    @Test("repair runs the stage of damaged weights alone and restores the recorded digest")
    func repair() async throws {
      try await Reference.withCopy { store in
        let weights = try await Smoke.path("weights", of: "retrain", store: store)
        makeWritable(weights)
        var bytes = try Data(contentsOf: URL(fileURLWithPath: weights))
        bytes[bytes.count / 2] ^= 4
        try bytes.write(to: URL(fileURLWithPath: weights))
        #expect(try await Program.run(["audit", "--store", store]).code == 2)
        let repair = try await Program.run(["repair", "--store", store])
        #expect(repair.code == 0, "\(repair.everything)")
        #expect(repair.output.contains("the digest is the recorded one") && repair.output.contains("1 of 1 damage"))
        #expect(repair.errors.contains("retrain: done") && !repair.errors.contains("predict: done"))
        #expect(try await Program.run(["audit", "--deep", "--store", store]).code == 0)
        #expect(FileManager.default.fileExists(atPath: store + "/damaged"))
      }
    }

    @Test("bisect finds the stage with a changed parameter, its first differing step and tensor")
    func bisect() async throws {
      try await Reference.withCopy { store in
        let change = ["--set", "retrain.recipe.base-rate=0.02"]
        let run = try await Smoke.run(store: store, Smoke.Setting(), change)
        #expect(run.code == 0, "\(run.errors)")
        // Between the first run and this one may be others that found everything there.
        let all = try FileManager.default.contentsOfDirectory(atPath: store + "/runs").sorted()
        try #require(all.count >= 2)
        let ids = [all[0], all[all.count - 1]]
        let outcome = try await Program.run(["bisect", ids[0], ids[1], "--json", "--store", store])
        #expect(outcome.code == 2, "\(outcome.everything)")
        #expect(outcome.json["origin"]?.stringValue == "retrain")
        let origin = try #require(outcome.json["partings"]?.arrayValue?.first)
        #expect(origin["differences"]?.arrayValue?.first?["name"]?.stringValue == "recipe.base-rate")
        #expect(origin["trace"]?["step"]?.integerValue == 1)
        let text = try await Program.run(["bisect", ids[0], ids[1], "--store", store])
        #expect(text.output.contains("first at step 1, "), "\(text.output)")
      }
    }

    @Test(
      "read-only commands create no store",
      arguments: ["plan", "status", "run --dry-run", "graph", "audit", "log"])
    func noStore(command: String) async throws {
      try await withTemporaryFolder { folder in
        let words = command.split(separator: " ").map(String.init)
        let pipeline = ["audit", "log"].contains(words[0]) ? [] : [Smoke.pipeline, "--profile", "smoke"]
        let outcome = try await Program.run(words + pipeline + ["--store", folder + "/artifacts"])
        #expect(outcome.code == (pipeline.isEmpty ? 1 : 0), "\(outcome.everything)")
        #expect(!FileManager.default.fileExists(atPath: folder + "/artifacts"))
      }
    }
  }
}
