import Foundation
import TensorFiles
import Tensors
import Testing

extension EndToEndTests {
  @Suite("--engine: the choice of arithmetic")
  struct EngineTests {
    @Test(
      "one training step of openblas agrees with portable within rounding, and is cached separately",
      .enabled(if: OpenBLAS() != nil, "OpenBLAS is not installed"))
    func openBLAS() async throws {
      let reference = try await Reference.finished
      try await withTemporaryFolder { folder in
        let store = folder + "/artifacts"
        try FileManager.default.copyItem(atPath: reference.store, toPath: store)
        let ours = try await weights(store, []),
          theirs = try await weights(store, ["--engine", "openblas"])
        #expect(theirs.key != ours.key)
        #expect(theirs.tensors.map(\.name) == ours.tensors.map(\.name))
        var distance = 0.0, size = 0.0
        for (a, b) in zip(theirs.tensors, ours.tensors) {
          for (x, y) in zip(a.values, b.values) {
            distance += (x - y) * (x - y)
            size += y * y
          }
        }
        // A hundred layers of batch normalisation over few positions amplify rounding some ten thousand times in one
        // step, and trainings diverge after the next. EngineTests of the tensors compare single operations.
        let relative = (distance / size).squareRoot()
        #expect(relative > 0 && relative < 0.02)
      }
    }

    @Test("an unknown engine exits with 64")
    func unknown() async throws {
      let outcome = try await Program.run(["plan", Smoke.pipeline, "--engine", "cuda"])
      #expect(outcome.code == 64 && outcome.errors.contains("portable") && outcome.errors.contains("openblas"))
    }

    private struct Weights {
      let key: String
      let tensors: [(name: String, values: [Double])]
    }

    /// The weights after one step of pretraining: computed with the engine, then cached.
    private func weights(_ store: String, _ engine: [String]) async throws -> Weights {
      let arguments = engine + ["--set", "pretrain.recipe.steps=1"]
      for count in [1, 0] {
        let outcome = try await Smoke.run(store: store, Smoke.Setting(), ["pretrain"] + arguments)
        #expect(outcome.code == 0, "\(outcome.errors)")
        // The key of a data set does not include the engine.
        #expect(outcome.count("finished", "pretrain") == count && outcome.count("finished", "imagenet") == 0)
      }
      let status = try await Program.run(Smoke.arguments("status", ["--json"] + arguments, store: store))
      let stage = try #require(status.json["stages"]?.arrayValue?.first { $0["name"]?.stringValue == "pretrain" })
      let instance = try #require(stage["instances"]?.arrayValue?.first)
      let digest = try #require(instance["outputs"]?["weights"]?["digest"]?.stringValue)
      let path = try #require(try await Program.run(["show", digest, "--path", "--store", store]).lines.first)
      let key = try #require(instance["key"]?.stringValue)
      return Weights(key: key, tensors: try TensorFile.read(path).entries.map { ($0.name, $0.tensor.doubles) })
    }
  }
}
