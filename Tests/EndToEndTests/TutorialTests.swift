import Foundation
import Testing

/// The commands of docs/tutorial.md, as people type them.
private struct Tutorial {
  struct Block {
    var commands: String
    /// Texts that the output must hold.
    var expected: [String] = []
  }

  let blocks: [Block]

  init() throws {
    let text = try String(contentsOfFile: Smoke.checkout + "/docs/tutorial.md", encoding: .utf8)
    var blocks = [Block]()
    var open: [String]?
    var isFenced = false
    for line in text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init) {
      if let lines = open, line == "```" {
        blocks.append(Block(commands: lines.joined(separator: "\n")))
        open = nil
      } else if open != nil {
        open!.append(line)
      } else if line.hasPrefix("```") {
        if line == "```sh", !isFenced { open = [] } else { isFenced.toggle() }
      } else if line.hasPrefix("<!-- expect: "), line.hasSuffix(" -->"), !isFenced {
        blocks[blocks.count - 1].expected.append(String(line.dropFirst(13).dropLast(4)))
      }
    }
    self.blocks = blocks
  }

  /// A script of all blocks, with a line before the output of each.
  var script: String {
    (["set -e"] + blocks.enumerated().map { "echo '== \($0.offset)'\n\($0.element.commands)" }).joined(separator: "\n")
  }
}

extension EndToEndTests {
  @Suite("init, and the tutorial")
  struct TutorialTests {
    /// Runs a script with the program on the search path.
    private func shell(_ script: String, in folder: String) throws -> (code: Int32, output: String) {
      let bin = folder + "/bin"
      try FileManager.default.createDirectory(atPath: bin, withIntermediateDirectories: true)
      try? FileManager.default.createSymbolicLink(atPath: bin + "/autopanoptic", withDestinationPath: Program.path)
      let process = Process()
      process.executableURL = URL(fileURLWithPath: "/bin/bash")
      process.arguments = ["-c", script]
      process.currentDirectoryURL = URL(fileURLWithPath: folder)
      var environment = ProcessInfo.processInfo.environment
      environment["PATH"] = bin + ":/usr/bin:/bin"
      process.environment = environment
      let log = folder + "/log"
      _ = FileManager.default.createFile(atPath: log, contents: nil)
      let file = try FileHandle(forUpdating: URL(fileURLWithPath: log))
      (process.standardOutput, process.standardError) = (file, file)
      try process.run()
      process.waitUntilExit()
      return (process.terminationStatus, try String(contentsOfFile: log, encoding: .utf8))
    }

    @Test(
      "the commands of the tutorial do what it says",
      .enabled(if: FileManager.default.isExecutableFile(atPath: "/usr/bin/python3"), "needs /usr/bin/python3"))
    func tutorial() async throws {
      let tutorial = try Tutorial()
      #expect(tutorial.blocks.count > 12)
      try await withTemporaryFolder { folder in
        let (code, output) = try shell(tutorial.script, in: folder)
        #expect(code == 0, "\(output.suffix(4000))")
        for (i, block) in tutorial.blocks.enumerated() {
          let part =
            output.components(separatedBy: "== \(i)\n").last?.components(separatedBy: "== \(i + 1)\n").first ?? ""
          for text in block.expected { #expect(part.contains(text), "\(block.commands): \(part.suffix(3000))") }
        }
      }
    }

    @Test("what init writes has no mistakes; nothing is overwritten", arguments: ["python", "panoptic"])
    func templates(template: String) async throws {
      try await withTemporaryFolder { folder in
        let place = folder + "/project"
        let made = try await Program.run(["init", "--template", template, place])
        #expect(made.code == 0 && made.output.contains("next: cd "), "\(made.everything)")
        let lint = try await Program.run(["lint", place + "/pipeline.yaml"])
        #expect(lint.code == 0, "\(lint.everything)")
        let before = try String(contentsOfFile: place + "/pipeline.yaml", encoding: .utf8)
        #expect(before.contains("\npipeline: project\n"))
        try "mine".write(toFile: place + "/pipeline.yaml", atomically: true, encoding: .utf8)
        let again = try await Program.run(["init", "--template", template, place])
        #expect(again.code == 65 && again.errors.contains("nothing was written"), "\(again.everything)")
        #expect(try String(contentsOfFile: place + "/pipeline.yaml", encoding: .utf8) == "mine")
      }
    }

    @Test(
      "in a Python project, init declares the environment that is there",
      arguments: [
        ([".venv", "requirements.txt"], "\n  python: { venv: .venv, lock: requirements.txt }\n"),
        ([".venv", "uv.lock"], "\n  python: { venv: .venv, lock: uv.lock }\n"),
        (["uv.lock"], "\n  python: { uv: uv.lock }\n"),
        ([".venv"], "\n  python: { venv: .venv }\n"), (["requirements.txt"], "# environments:\n"),
        ([], "# environments:\n"),
      ])
    func environments(files: [String], line: String) async throws {
      try await withTemporaryFolder { folder in
        for name in files {
          if name == ".venv" {
            try FileManager.default.createDirectory(atPath: "\(folder)/\(name)", withIntermediateDirectories: true)
          } else {
            try "".write(toFile: "\(folder)/\(name)", atomically: true, encoding: .utf8)
          }
        }
        #expect(try await Program.run(["init", folder]).code == 0)
        #expect(try String(contentsOfFile: folder + "/pipeline.yaml", encoding: .utf8).contains(line))
        #expect(try await Program.run(["lint", folder + "/pipeline.yaml"]).code == 0)
      }
    }
  }
}
