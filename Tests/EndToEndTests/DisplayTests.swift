import Determinism
import Foundation
import Testing

extension EndToEndTests {
  @Suite("graph, log, status, plan, gc and help")
  struct DisplayTests {
    @Test("graph draws one box for every stage, whatever its number of instances")
    func graph() async throws {
      let store = try await Reference.finished.store
      let svg = try await Program.run(Smoke.arguments("graph", store: store))
      #expect(svg.code == 0 && svg.output.hasPrefix("<svg "), "\(svg.everything)")
      #expect(svg.output.components(separatedBy: "<g>").count == 13)
      #expect(svg.output.contains(">60 cached</text>") && svg.output.contains(">cached (12)</text>"))
      try await withTemporaryFolder { folder in
        let file = folder + "/coco.dot"
        let dot = try await Program.run(Smoke.arguments("graph", ["--output", file], store: store))
        #expect(dot.code == 0 && dot.output.isEmpty, "\(dot.everything)")
        #expect(try String(contentsOfFile: file, encoding: .utf8).contains("\"candidates\" -> \"evaluate\""))
        let nowhere = try await Program.run(
          Smoke.arguments("graph", ["--output", folder + "/no/such/folder.svg"], store: store))
        #expect(nowhere.code == 1 && nowhere.errors.contains("folder.svg"), "\(nowhere.everything)")
      }
    }

    @Test("log lists every run with all its stages")
    func log() async throws {
      let store = try await Reference.finished.store
      let list = try await Program.run(["log", "--store", store])
      #expect(list.code == 0 && list.lines.count == 1, "\(list.everything)")
      #expect(list.output.contains("71 executed") && list.output.contains("root \(Smoke.root.prefix(12))"))
      let id = try #require(list.output.split(separator: " ").first)
      let one = try await Program.run(["log", String(id.prefix(15)), "--store", store])
      #expect(
        one.lines.count { $0.hasPrefix("  ") } == 71 && one.lines.last == "root \(Smoke.root)", "\(one.everything)")
      let json = try await Program.run(["log", String(id), "--json", "--store", store])
      #expect(json.json["stages"]?.arrayValue?.count == 71 && json.json["end"]?.stringValue == "finished")
      #expect(try await Program.run(["log", "1066", "--store", store]).code == 65)
    }

    @Test("run ends with the highlights of its results")
    func highlights() async throws {
      let store = try await Reference.finished.store
      let words = try await Program.run(Smoke.arguments("run", store: store))
      #expect(words.lines.contains { $0.hasPrefix("quality: PQ ") }, "\(words.everything)")
      #expect(words.lines.contains { $0.hasPrefix("evaluate: PQ ") && $0.hasSuffix(" (60)") }, "\(words.everything)")
      #expect(words.root == Smoke.root)
      let events = try await Smoke.run(store: store)
      #expect(events.count("highlight", "quality") == 5)
      #expect(events.events.first?.name == "run-started")
    }

    @Test("gc lists what no kept run needs, then removes it")
    func collection() async throws {
      try await Reference.withCopy { store in
        let none = try await Program.run(["gc", "--dry-run", "--store", store])
        #expect(none.code == 0 && none.output.hasPrefix("0 B would be freed"), "\(none.everything)")
        let run = try await Smoke.run(store: store, Smoke.Setting(), ["--set", "retrain.recipe.base-rate=0.02"])
        #expect(run.code == 0, "\(run.errors)")
        let some = try await Program.run(["gc", "--keep-runs", "1", "--dry-run", "--json", "--store", store])
        #expect((some.json["items"]?.arrayValue?.count ?? 0) > 6, "\(some.everything)")
        let done = try await Program.run(["gc", "--keep-runs", "1", "--json", "--store", store])
        #expect(done.json["bytes"] == some.json["bytes"] && done.json["removed"]?.boolValue == true)
        let audit = try await Program.run(["audit", "--store", store])
        #expect(audit.code == 0 && audit.output.contains("71 records"), "\(audit.everything)")
        let again = try await Smoke.run(store: store, Smoke.Setting(), ["--set", "retrain.recipe.base-rate=0.02"])
        #expect(again.finalRoot == run.finalRoot && again.count("started", "retrain") == 0)
      }
    }

    @Test("status prints sizes, and plan the time that stages took")
    func sizes() async throws {
      let store = try await Reference.finished.store
      let status = try await Program.run(Smoke.arguments("status", store: store))
      #expect(status.lines.last?.hasPrefix("store \(store): ") == true, "\(status.everything)")
      let retrain = #/retrain +cached  history [0-9a-f]{12}, weights [0-9a-f]{12}  [0-9.]+ kB/#
      #expect(status.lines.contains { $0.contains(retrain) })
      let plan = try await Program.run(Smoke.arguments("plan", ["--set", "retrain.seed=5"], store: store))
      #expect(plan.output.contains("seed was 2020, is 5"), "\(plan.everything)")
      #expect(plan.output.contains("[last took ") && plan.output.contains("at most "))
    }

    @Test("every command has help with examples and shell completions")
    func help() async throws {
      let whole = try await Program.run(["--help"])
      let commands = whole.output.matches(of: #/(?m)^  ([a-z]+)  +[A-Z]/#).map { String($0.1) }.filter { $0 != "help" }
      try #require(commands.count >= 17, "\(commands)")
      for command in commands {
        let help = try await Program.run([command, "--help"])
        #expect(help.code == 0 && help.output.contains("EXAMPLES:\n"), "\(command): \(help.everything)")
      }
      for shell in ["bash", "zsh", "fish"] {
        let script = try await Program.run(["completions", shell])
        #expect(script.code == 0 && script.output.contains("bisect"), "\(script.errors)")
      }
    }
  }
}
