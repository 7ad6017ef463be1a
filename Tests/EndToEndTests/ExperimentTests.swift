import Foundation
import PipelineFiles
import Testing

extension EndToEndTests {
  @Suite("Pipelines of the paper's experiments")
  struct ExperimentTests {
    private static let folder = Smoke.checkout + "/pipelines"
    /// The pipelines based on the reproduction; others in the folder are examples of the runner.
    private static let names = [
      "coco", "coco-evolution", "ade20k", "transfer-coco-ade20k", "transfer-ade20k-coco", "search-policies",
      "search-policies-retrained", "search-algorithm", "components", "baselines", "baselines-ade20k", "figures",
      "figures-ade20k", "ranking", "factors", "sampling-error", "learning-curve",
    ]

    private static func path(_ name: String) -> String { "\(folder)/\(name).yaml" }

    @Test("every pipeline is valid in all profiles and fidelities", arguments: names)
    func valid(name: String) async throws {
      try await withTemporaryFolder { folder in
        let data = try ExperimentTests.emptyDataSets(in: folder)
        for profile in ["smoke", "miniature", "desktop", "paper"] {
          for fidelity in ["recommended", "published-code", "paper"] {
            let outcome = try await Program.run(
              [
                "plan", ExperimentTests.path(name), "--profile", profile, "--fidelity", fidelity, "--store",
                folder + "/store", "--json",
              ] + data)
            #expect(outcome.code == 0, "\(profile), \(fidelity): \(outcome.everything)")
          }
        }
      }
    }

    @Test("the first steps at full size are valid")
    func paperStart() async throws {
      try await withTemporaryFolder { folder in
        let data = try ExperimentTests.emptyDataSets(in: folder)
        for fidelity in ["recommended", "published-code", "paper"] {
          let outcome = try await Program.run(
            ["plan", ExperimentTests.path("paper-start"), "--fidelity", fidelity, "--store", folder + "/store"] + data)
          #expect(outcome.code == 0, "\(fidelity): \(outcome.everything)")
          // The data set is a source, which is not run.
          #expect(outcome.output.contains("11 of 12 stages to run"), "\(outcome.output)")
        }
      }
    }

    /// Makes empty folders for the data of the profile 'paper'; returns the options that name them.
    private static func emptyDataSets(in folder: String) throws -> [String] {
      let contents = [
        "IMAGENET": ["train", "val"],
        "COCO": [Coco.train.images, Coco.val.images, Coco.train.labels, Coco.val.labels],
        "ADE20K": ["images", "annotations", "annotations_instance"].flatMap { ["\($0)/training", "\($0)/validation"] },
      ]
      for (name, folders) in contents {
        for below in folders {
          try FileManager.default.createDirectory(
            atPath: "\(folder)/\(name)/\(below)", withIntermediateDirectories: true)
        }
      }
      // A source without any file can't be what somebody meant.
      for place in ["IMAGENET/train/n0", "IMAGENET/val/n0", "ADE20K/images/training", "ADE20K/images/validation"] {
        try FileManager.default.createDirectory(atPath: "\(folder)/\(place)", withIntermediateDirectories: true)
        try "x".write(toFile: "\(folder)/\(place)/x.jpg", atomically: true, encoding: .utf8)
        try "x".write(toFile: "\(folder)/\(place)/x.JPEG", atomically: true, encoding: .utf8)
      }
      for part in [Coco.train, Coco.val] {
        try "{}".write(toFile: "\(folder)/COCO/\(part.index)", atomically: true, encoding: .utf8)
      }
      return contents.keys.sorted().flatMap { ["--set", "\($0)=\(folder)/\($0)"] }
    }

    @Test("a fidelity changes the parameters it names and no others")
    func fidelities() async throws {
      let store = try await Reference.finished.store
      func running(_ fidelity: String) async throws -> [String] {
        let outcome = try await Program.run(
          Smoke.arguments("plan", ["--fidelity", fidelity, "--json"], store: store))
        return (outcome.json["stages"]?.arrayValue ?? []).filter {
          let instances = $0["instances"]?.arrayValue ?? []
          return instances.isEmpty || instances.contains { $0["state"]?.stringValue != "cached" }
        }.compactMap { $0["name"]?.stringValue }
      }
      #expect(try await running("recommended") == [])
      for fidelity in ["published-code", "paper"] {
        let stages = try await running(fidelity)
        #expect(stages.contains("finetune") && !stages.contains("coco") && !stages.contains("split"), "\(stages)")
        #expect(!stages.contains("pretrain"), "\(stages)")
      }
      let unknown = try await Program.run(Smoke.arguments("plan", ["--fidelity", "papre"], store: store))
      #expect(unknown.code == 65 && unknown.errors.contains("did you mean 'paper'?"), "\(unknown.everything)")
    }

    @Test("every pipeline file expects a root of the smoke profile", arguments: names)
    func expectation(name: String) throws {
      let file = try PipelineFile(path: ExperimentTests.path(name))
      let root = try #require(try file.expectedRoot(profile: "smoke", seed: nil)?.root)
      if name == "coco" { #expect(root == Smoke.root) }
    }

    @Test("every pipeline ends with its expected root")
    func roots() async throws {
      try await Reference.withCopy { store in
        for name in ExperimentTests.names {
          let outcome = try await Program.run(
            ["run", ExperimentTests.path(name), "--profile", "smoke", "--store", store], limit: .seconds(1800))
          #expect(outcome.code == 0, "\(name): \(outcome.everything)")
        }
      }
    }

    @Test("a run that ends with another root than expected exits with 2")
    func otherRoot() async throws {
      let store = try await Reference.finished.store
      try await withTemporaryFolder { folder in
        let text = try String(contentsOfFile: Smoke.pipeline, encoding: .utf8)
        let path = folder + "/coco.yaml"
        try text.replacing(Smoke.root.prefix(8), with: "00000000").write(
          toFile: path, atomically: true, encoding: .utf8)
        let outcome = try await Program.run(["run", path, "--profile", "smoke", "--store", store])
        #expect(outcome.code == 2, "\(outcome.everything)")
        #expect(outcome.errors.contains("another root than expected (00000000") && outcome.errors.contains(path))
        // With a changed parameter no root is expected.
        let changed = try await Program.run(
          ["run", path, "--profile", "smoke", "--seed", "2020", "--set", "let.profile-name=mine", "--store", store])
        #expect(changed.code == 0, "\(changed.everything)")
      }
    }

    @Test("tables show the numbers of the paper and of runs, and nothing else")
    func tables() async throws {
      let store = try await Reference.finished.store
      func tables(_ more: [String]) async throws -> Program.Outcome {
        try await Program.run(["tables", ExperimentTests.folder, "--profile", "smoke", "--store", store] + more)
      }
      let text = try await tables([])
      #expect(text.code == 0, "\(text.everything)")
      #expect(text.output.contains("smoke, seed 2020") && text.output.contains("not recoverable"))
      let csv = try await tables(["--format", "csv"])
      let rows = csv.lines.filter { $0.hasPrefix("table-2,") }.map {
        $0.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
      }
      let row = try #require(rows.first { $0.contains("Auto-Panoptic") && $0.contains("COCO") })
      // In CSV "smoke, seed 2020" is quoted, since it has a comma.
      #expect(row.contains("44.8") && row.last != "" && row.count == rows[0].count)
      let quoted = try #require(rows.first { $0.contains("SOGNet") })
      #expect(quoted.contains("43.7") && quoted.last == "")
      let other = try await tables(["--seed", "7", "--format", "csv"])
      #expect(other.lines.first { $0.contains("Auto-Panoptic,44.8") }?.hasSuffix(",") == true, "\(other.everything)")
      #expect(other.lines.contains { $0.hasPrefix("table-2,nothing was run yet,") })
      // Searched architectures are shown for runs only.
      #expect(
        csv.lines.contains { $0.hasPrefix("table-1,") && $0.hasSuffix("\"ratio 4, 8, 16\",\"ratio 4, 8, 6\",9,9") })
      #expect(other.lines.contains { $0.hasSuffix("\"ratio 4, 8, 16\",,9,") })
      #expect(
        csv.lines.contains { $0.hasPrefix("supplement-table-1,") && $0.contains(",960,") && !$0.contains(",960,,") })
      #expect(other.lines.contains { $0.hasPrefix("supplement-table-1,") && $0.hasSuffix(",960,,8,") })
      let fidelity = try await tables(["--fidelity", "paper"])
      #expect(fidelity.code == 0 && fidelity.output.contains("nothing was run yet"), "\(fidelity.everything)")
      for (option, value, meant) in [("--fidelity", "papre", "paper"), ("--profile", "smokee", "smoke")] {
        let unknown = try await Program.run(
          ["tables", ExperimentTests.folder, "--store", store, option, value])
        #expect(unknown.code == 65 && unknown.errors.contains("did you mean '\(meant)'?"), "\(unknown.everything)")
      }
      let twice = try await tables(["--seed", "2020", "--seed", "2020"])
      #expect(twice.output == text.output)
      let markdown = try await tables(["--format", "markdown"])
      #expect(markdown.output.contains("| COCO | Auto-Panoptic | 44.8 |"))
    }
  }
}
