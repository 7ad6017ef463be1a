import Determinism
import Foundation
import Panoptic
import Testing

extension EndToEndTests {
  @Suite("pq: the Panoptic Quality of predictions in COCO format")
  struct PanopticQualityTests {
    @Test("it agrees with the pipeline on the pipeline's predictions")
    func ownPredictions() async throws {
      let store = try await Reference.finished.store
      let data = try await Smoke.path("data", of: "coco", store: store) + "/files/\(Coco.val.labels)"
      let predictions =
        try await Smoke.path("predictions", of: "predict", store: store)
        + "/files/\(PanopticLayout.coco.predictions.labels)"
      let quality = try TestData.json(try await Smoke.path("quality", of: "quality", store: store))
      let outcome = try await Program.run(
        Self.arguments(truth: data + ".json", data, prediction: predictions + ".json", predictions))
      #expect(outcome.code == 0, "\(outcome.errors)")
      #expect(outcome.json == quality)
      #expect(quality["All"]?["n"]?.integerValue != 0)

      let perfect = try await Program.run(Self.arguments(truth: data + ".json", data, prediction: data + ".json", data))
      #expect(perfect.json["All"]?["pq"]?.numberValue == 1)
    }

    @Test("images that are drawn again and again give intervals, in text and JSON")
    func resampled() async throws {
      let store = try await Reference.finished.store
      let data = try await Smoke.path("data", of: "coco", store: store) + "/files/\(Coco.val.labels)"
      let options = ["--resample", "199"]
      let perfect = Self.arguments(truth: data + ".json", data, prediction: data + ".json", data)
      let json = try await Program.run(perfect + options)
      #expect(json.json["sampling"]?["pq"]?["interval"] == ["lower": 1, "upper": 1], "\(json.everything)")
      #expect(json.json["sampling"]?["draws"]?.integerValue == 199 && json.json["All"]?["pq"]?.numberValue == 1)
      let text = try await Program.run(perfect.filter { $0 != "--json" } + options)
      #expect(text.lines.contains("PQ 100.0 to 100.0, standard error 0.0"), "\(text.everything)")
      let few = try await Program.run(perfect + ["--resample", "3"])
      #expect(few.code == 64 && few.errors.contains("39 to 1000000"), "\(few.everything)")
    }

    /// Results of panopticapi 7bb4655 on real COCO images and predictions derived from them.
    @Test("it agrees with panopticapi to 1e-9 on real COCO images", .needs("coco"), .needs("ref_pq"))
    func reference() async throws {
      let reference = try #require(TestData.folder("ref_pq"))
      let coco = try #require(TestData.folder("coco"))
      let cases = try #require(try TestData.json(reference + "/expected.json")["cases"]?.objectValue)
      #expect(cases.count >= 10)
      let truth = coco + "/panopticapi_sample_data/panoptic_examples"
      // PanopticTests checks all cases; these check the command.
      for name in ["crowd_pieces", "exact_half", "mixed"] {
        let expected = try #require(cases[name])
        let outcome = try await Program.run(
          Self.arguments(
            truth: truth + ".json", truth, prediction: "\(reference)/\(name).json", "\(reference)/\(name)",
            categories: coco + "/panoptic_coco_categories.json"))
        #expect(outcome.code == 0, "\(name): \(outcome.errors)")
        for group in ["All", "Things", "Stuff"] {
          guard let e = expected[group], e != .null else { continue }
          let ours = outcome.json[group]
          for key in ["pq", "sq", "rq"] {
            let (a, b) = (ours?[key]?.numberValue ?? .nan, e[key]?.numberValue ?? .nan)
            #expect(abs(a - b) <= 1e-9, "\(name), \(group) \(key): \(a), expected \(b)")
          }
          #expect(ours?["n"] == e["n"], "\(name), \(group)")
        }
        for (category, e) in expected["per_class"]?.objectValue ?? [:] {
          let a = outcome.json["per_class"]?[category]?["pq"]?.numberValue ?? .nan
          #expect(abs(a - (e["pq"]?.numberValue ?? .nan)) <= 1e-9, "\(name), class \(category)")
        }
      }
    }

    @Test("files that panopticapi refuses exit with 65", .needs("coco"), .needs("ref_pq"))
    func malformedReference() async throws {
      let reference = try #require(TestData.folder("ref_pq"))
      let coco = try #require(TestData.folder("coco"))
      let names = try #require(try TestData.json(reference + "/expected.json")["error_cases"]?.objectValue).keys
        .sorted()
      let truth = coco + "/panopticapi_sample_data/panoptic_examples"
      for name in names {
        let outcome = try await Program.run(
          Self.arguments(
            truth: truth + ".json", truth, prediction: "\(reference)/error_\(name).json", reference + "/identity"))
        #expect(outcome.code == 65, "\(name): \(outcome.everything)")
        #expect(outcome.errors.contains("error: ") && outcome.output.isEmpty, "\(name): \(outcome.everything)")
      }
    }

    @Test("missing files and files that are not JSON exit with 65")
    func malformed() async throws {
      let store = try await Reference.finished.store
      let data = try await Smoke.path("data", of: "coco", store: store) + "/files/\(Coco.val.labels)"
      try await withTemporaryFolder { folder in
        try "{\"annotations\": [".write(toFile: folder + "/cut.json", atomically: true, encoding: .utf8)
        try "[]".write(toFile: folder + "/list.json", atomically: true, encoding: .utf8)
        for name in ["cut.json", "list.json", "missing.json"] {
          for isTruth in [true, false] {
            let (bad, good) = ("\(folder)/\(name)", data + ".json")
            let outcome = try await Program.run(
              Self.arguments(truth: isTruth ? bad : good, data, prediction: isTruth ? good : bad, data))
            #expect(outcome.code == 65, "\(outcome.everything)")
            #expect(outcome.errors.contains(name), "\(outcome.errors)")
          }
        }
        let empty = try await Program.run(
          Self.arguments(truth: data + ".json", data, prediction: data + ".json", folder))
        #expect(empty.code == 65, "\(empty.everything)")
      }
    }

    /// Malformed JSON of several sources, passed as ground truth and as prediction.
    @Test("malformed JSON never crashes the program", .needs("bad/json"))
    func foreignJSON() async throws {
      let folder = try #require(TestData.folder("bad/json"))
      let store = try await Reference.finished.store
      let data = try await Smoke.path("data", of: "coco", store: store) + "/files/\(Coco.val.labels)"
      for name in try FileManager.default.contentsOfDirectory(atPath: folder).sorted() where name.hasSuffix(".json") {
        let outcome = try await Program.run(
          Self.arguments(truth: data + ".json", data, prediction: "\(folder)/\(name)", data), limit: .seconds(60))
        #expect(outcome.code == 65, "\(name): \(outcome.everything)")
      }
    }

    private static func arguments(
      truth: String, _ truthFolder: String, prediction: String, _ predictionFolder: String, categories: String? = nil
    ) -> [String] {
      [
        "pq", "--gt", truth, "--gt-folder", truthFolder, "--pred", prediction, "--pred-folder", predictionFolder,
        "--json",
      ]
        + (categories.map { ["--categories", $0] } ?? [])
    }
  }
}
