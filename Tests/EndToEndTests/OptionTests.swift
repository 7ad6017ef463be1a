import Determinism
import Foundation
import Testing

extension EndToEndTests {
  @Suite("No argument, option or environment variable crashes the program")
  struct OptionTests {
    static let values = [
      "0", "-1", "9223372036854775807", "-9223372036854775808", "18446744073709551615", "18446744073709551616", "1e300",
      "nan", "inf", "", "\u{301}", "*\u{301}=#", String(repeating: "9", count: 20_000),
    ]

    /// A call of the program: a command with valid required arguments, and the option or argument under test.
    struct Call: Sendable {
      var words: [String]
      /// The arguments that pass a value to the option or argument under test.
      var place: String
    }

    /// All options and arguments of all commands, from the program's own description.
    static func calls() async throws -> [Call] {
      let help = try await Program.run(["--experimental-dump-help"])
      let root = try #require(help.json["command"], "\(help.everything)")
      return calls(of: root, path: [])
    }

    private static func calls(of command: CanonicalValue, path: [String]) -> [Call] {
      let below = command["subcommands"]?.arrayValue ?? []
      if !below.isEmpty {
        return below.flatMap { sub -> [Call] in
          let name = sub["commandName"]?.stringValue ?? ""
          return name == "help" ? [] : calls(of: sub, path: path + [name])
        }
      }
      let arguments = command["arguments"]?.arrayValue ?? []
      func name(_ argument: CanonicalValue) -> String {
        let names = argument["names"]?.arrayValue ?? []
        let long = names.compactMap { $0["kind"]?.stringValue == "long" ? $0["name"]?.stringValue : nil }.first
        return long ?? argument["valueName"]?.stringValue ?? ""
      }
      func filler(_ name: String) -> String { name == "pipeline" ? "p.yaml" : name == "shell" ? "bash" : "a" }
      let needed = arguments.filter { $0["isOptional"]?.boolValue == false }
      return arguments.compactMap { tried -> Call? in
        let kind = tried["kind"]?.stringValue
        guard kind != "flag" else { return nil }
        var words = path
        for other in needed where name(other) != name(tried) {
          let text = filler(name(other))
          words += other["kind"]?.stringValue == "positional" ? [text] : ["--\(name(other))", text]
        }
        return Call(words: words, place: kind == "positional" ? "" : "--\(name(tried))=")
      }
    }

    @Test("every option and argument of every command accepts or refuses every value")
    func options() async throws {
      let calls = try await Self.calls()
      try #require(Set(calls.map { $0.words.first ?? "" }).count >= 24 && calls.count >= 100, "\(calls.count)")
      try await withTemporaryFolder { folder in
        try StreamTests.pipeline.write(toFile: folder + "/p.yaml", atomically: true, encoding: .utf8)
        var tries = [[String]]()
        for call in calls {
          // The self-test takes long with valid options.
          let isSlow = call.words == ["doctor"] && call.place != "--threads="
          for value in isSlow ? Array(Self.values.prefix(1)) : Self.values {
            tries.append(call.words + (call.place.isEmpty ? ["--", value] : [call.place + value]))
          }
        }
        try await Self.run(tries, in: folder)
      }
    }

    @Test("--set accepts or refuses every value for a number, a text and a mapping")
    func settings() async throws {
      try await withTemporaryFolder { folder in
        let text = StreamTests.pipeline + "  c: { uses: coco-miniature, with: { scenes: { train-count: 2 } } }\n"
        try text.write(toFile: folder + "/p.yaml", atomically: true, encoding: .utf8)
        let places = [
          "c.scenes.train-count", "c.scenes.crowd-probability", "c.scenes", "c.seed", "a.run", "a.environment.T",
          "let.x",
        ]
        let more = ["{a: 1}", "[1, [2, {b: }]]", "&a b", "*a", "!!int x", "\u{2028}", "a: b: c", "$x", "$$x", "~"]
        let tries = places.flatMap { place in
          (Self.values + more).map { ["plan", "p.yaml", "--set", "\(place)=\($0)"] }
        }
        try await Self.run(tries, in: folder)
      }
    }

    @Test("every environment variable accepts or refuses every value")
    func variables() async throws {
      try await withTemporaryFolder { folder in
        try StreamTests.pipeline.write(toFile: folder + "/p.yaml", atomically: true, encoding: .utf8)
        let names = [
          "AUTOPANOPTIC_THREADS", "AUTOPANOPTIC_CHECKPOINT_INTERVAL", "AUTOPANOPTIC_ISA", "AUTOPANOPTIC_DEVICE",
          "AUTOPANOPTIC_FAIL_AT",
          "COLUMNS",
          "LINES", "TERM", "TMPDIR", "HOME", "LANG", "COCO",
        ]
        for name in names {
          for value in Self.values {
            for words in [["run", "p.yaml"], ["run", "--help"]] {
              let outcome = try await Program.run(words, environment: [name: value], in: folder)
              Self.check(outcome, "\(name)=\(value.prefix(40)) \(words)")
              if words.count == 2, words[1] == "--help" {
                #expect(outcome.output.contains("root <digest>") && outcome.code == 0, "\(name)=\(value.prefix(40))")
              }
            }
          }
        }
      }
    }

    /// Runs two processes at a time.
    private static func run(_ tries: [[String]], in folder: String) async throws {
      try await withThrowingTaskGroup(of: Void.self) { group in
        for (i, words) in tries.enumerated() {
          if i >= 2 { try await group.next() }
          group.addTask {
            let outcome = try await Program.run(words, in: folder, limit: .seconds(120))
            check(outcome, words.map { String($0.prefix(40)) }.joined(separator: " "))
          }
        }
        try await group.waitForAll()
      }
    }

    private static func check(_ outcome: Program.Outcome, _ what: String) {
      #expect(outcome.signal == nil && outcome.code.map { $0 < 124 || $0 == 130 } == true, "\(what): \(outcome)")
      #expect(outcome.code == 0 || !outcome.errors.isEmpty, "\(what): exits with \(outcome.code ?? -1) without a word")
      #expect(!outcome.everything.contains("NSCocoaErrorDomain"), "\(what): \(outcome.errors)")
    }
  }
}
