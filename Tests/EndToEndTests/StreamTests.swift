import Foundation
import Testing

extension EndToEndTests {
  @Suite("Closed and full output streams")
  struct StreamTests {
    enum Place: String, CaseIterable, Sendable {
      case full, closed, brokenPipe

      /// A shell script that runs the program, `$0`, with its arguments and this output.
      var script: String {
        switch self {
        case .full: "exec \"$0\" \"$@\" >/dev/full"
        case .closed: "exec \"$0\" \"$@\" >&-"
        // The reader ends before the program starts.
        case .brokenPipe: "exec 3>&1; { sleep 0.2; \"$0\" \"$@\"; echo $? >&3; } | true"
        }
      }
    }

    static let pipeline = """
      pipeline: small
      profiles: { other: {} }
      stages:
        a: { uses: command, with: { run: "echo hi > o.txt", outputs: { o: o.txt } } }
        b: { uses: command, with: { run: "echo '[1, 2]' > o.json", outputs: { o: o.json } } }

      """

    /// Every command that prints, with arguments that succeed. `%` stands for a name that is new each time.
    static let commands = [
      "run p.yaml --store %", "run p.yaml --store s --json", "run p.yaml --store s --dry-run", "plan p.yaml --store s",
      "plan p.yaml --store s --json", "status p.yaml --store s", "status p.yaml --store s --json",
      "graph p.yaml --store s", "graph p.yaml --store s --format dot", "log --store s", "log --store s --json",
      "show a.o --store s", "show b --store s --json", "diff a.o a.o --store s", "diff b.o b.o --store s --json",
      "rerun p.yaml a --store s", "audit --store s", "audit --store s --json", "repair --store s", "bisect s s",
      "bisect s s --json", "gc --store s --dry-run", "gc --store s --json", "export p.yaml %.tar --store s",
      "import in.tar --store %", "keygen %", "sign p.yaml --key k --store s", "provenance p.yaml --store s",
      "estimate p.yaml --store s", "estimate p.yaml --json", "tables p.yaml --store s", "model describe coco",
      "model describe coco --json", "digest n.json", "completions bash", "--help", "help run", "run --help",
      "--version",
      "--generate-completion-script zsh", "--experimental-dump-help",
    ]

    @Test("every command that can't print exits with an error that says so", arguments: Place.allCases)
    func output(place: Place) async throws {
      try await withTemporaryFolder { folder in
        try Self.pipeline.write(toFile: folder + "/p.yaml", atomically: true, encoding: .utf8)
        try "{}".write(toFile: folder + "/n.json", atomically: true, encoding: .utf8)
        for words in ["run p.yaml --store s", "keygen k", "export p.yaml in.tar --store s"] {
          let outcome = try await Program.run(words.split(separator: " ").map(String.init), in: folder)
          try #require(outcome.code == 0, "\(words): \(outcome.everything)")
        }
        for (i, command) in Self.commands.enumerated() {
          func words(_ name: String) -> [String] {
            command.split(separator: " ").map { String($0).replacing("%", with: "\(name)\(i)") }
          }
          let good = try await Program.run(words("good"), in: folder)
          #expect(good.code == 0 && !good.output.isEmpty, "\(command): \(good.everything)")
          let outcome = try await Program.run(
            "/bin/sh", ["-c", place.script, Program.path] + words(place.rawValue), in: folder)
          if place == .brokenPipe {
            #expect(outcome.output == "1\n", "\(command): \(outcome.everything)")
          } else {
            #expect(outcome.code == 1, "\(command): \(outcome.everything)")
            let message = outcome.errors.split(separator: "\n").filter {
              $0.contains("cannot write to standard output")
            }
            #expect(message.count == 1, "\(command): \(outcome.errors)")
          }
        }
      }
    }

    @Test("a run completes even if its progress can't be printed")
    func progress() async throws {
      try await withTemporaryFolder { folder in
        try Self.pipeline.write(toFile: folder + "/p.yaml", atomically: true, encoding: .utf8)
        let scripts = [
          ("closed", "exec \"$0\" run p.yaml --store closed 2>&-", Int32(0)),
          ("all", "exec \"$0\" run p.yaml --store all <&- >&- 2>&-", 1),
          ("full", "exec \"$0\" run p.yaml --store full 2>/dev/full", 1),
          ("pipe", "{ sleep 0.3; \"$0\" run p.yaml --store pipe; exit $?; } 2>&1 >/dev/null | true", 0),
        ]
        for (store, script, code) in scripts {
          let outcome = try await Program.run("/bin/sh", ["-c", script, Program.path], in: folder)
          #expect(outcome.code == code, "\(script): \(outcome.everything)")
          let log = try await Program.run(["log", "--store", store], in: folder)
          #expect(log.output.contains("finished") && log.output.contains("2 executed"), "\(store): \(log.everything)")
          let audit = try await Program.run(["audit", "--store", store], in: folder)
          #expect(audit.code == 0, "\(store): \(audit.everything)")
        }
      }
    }

    @Test("an argument that is not UTF-8 never names another file")
    func arguments() async throws {
      try await withTemporaryFolder { folder in
        try Self.pipeline.write(toFile: folder + "/p.yaml", atomically: true, encoding: .utf8)
        let script = "exec \"$0\" graph p.yaml -o \"$(printf 'a\\377.svg')\""
        let outcome = try await Program.run("/bin/sh", ["-c", script, Program.path], in: folder)
        #expect(outcome.code == 64 && outcome.errors.contains("word 4"), "\(outcome.everything)")
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == ["p.yaml"])
      }
    }

    @Test("commands of stages start with the default action for SIGPIPE")
    func signals() async throws {
      try await withTemporaryFolder { folder in
        let text = """
          pipeline: pipes
          stages:
            a:
              uses: command
              with: { run: "yes | head -1 > o.txt; grep -i sigign /proc/self/status >> o.txt", tools: [yes, head, grep], outputs: { o: o.txt } }

          """
        try text.write(toFile: folder + "/p.yaml", atomically: true, encoding: .utf8)
        let run = try await Program.run(["run", "p.yaml", "--store", "s"], in: folder)
        #expect(run.code == 0, "\(run.everything)")
        let path = try await Program.run(["show", "a.o", "--path", "--store", "s"], in: folder)
        let lines = try String(contentsOfFile: path.lines[0], encoding: .utf8).split(separator: "\n")
        let ignored = try #require(UInt64(lines[1].split(separator: "\t")[1], radix: 16))
        #expect(lines[0] == "y" && ignored & 1 << UInt64(SIGPIPE - 1) == 0)
      }
    }
  }
}
