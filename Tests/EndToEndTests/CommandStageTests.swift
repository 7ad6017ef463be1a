import Foundation
import Testing

extension EndToEndTests {
  @Suite("Commands as stages")
  struct CommandStageTests {
    static let words = Smoke.checkout + "/pipelines/words.yaml"

    @Test("the example pipeline runs once, with the same root with and without a sandbox")
    func words() async throws {
      try await withTemporaryFolder { folder in
        var roots = Set<String?>()
        for policy in ["automatic", "off"] {
          let store = ["--store", "\(folder)/\(policy)"]
          let first = try await Program.run(["run", Self.words, "--sandbox", policy] + store)
          #expect(first.code == 0, "\(first.everything)")
          #expect(first.errors.contains("without a sandbox") == (policy == "off") || policy == "automatic")
          roots.insert(first.root)
          let again = try await Program.run(["run", Self.words, "--sandbox", policy] + store)
          #expect(again.root == first.root && again.errors.contains("0 executed, 7 cached"), "\(again.errors)")
          let audit = try await Program.run(["audit", Self.words, "--recompute", "9"] + store)
          #expect(audit.code == 0 && audit.output.contains("recomputed 5 of 5 stages"), "\(audit.everything)")
        }
        #expect(roots.count == 1 && roots.first! != nil)
      }
    }

    private func pipeline(_ folder: String, _ with: String) throws -> [String] {
      try "pipeline: p\nstages:\n  a: { uses: command, with: { \(with) } }\n"
        .write(toFile: folder + "/p.yaml", atomically: true, encoding: .utf8)
      return ["run", folder + "/p.yaml", "--store", folder + "/store"]
    }

    @Test("a failing program exits with 1 and the end of its output, a missing program with 65")
    func failures() async throws {
      try await withTemporaryFolder { folder in
        let failed = try await Program.run(try pipeline(folder, "run: 'echo no such luck >&2; exit 7'"))
        #expect(failed.code == 1 && failed.errors.contains("exit status 7"))
        #expect(failed.errors.contains("no such luck"))
        let missing = try await Program.run(try pipeline(folder, "run: [no-such-program]"))
        #expect(missing.code == 65 && missing.errors.contains("stage 'a': no program 'no-such-program'"))
      }
    }

    @Test(
      "a program and its daemons end with the run, whatever signal ends it", arguments: [SIGINT, SIGTERM, SIGKILL],
      ["automatic", "off"])
    func death(signal: Int32, policy: String) async throws {
      try await withTemporaryFolder { folder in
        // An argument that no other process has.
        let token = "beat-\(UInt64.random(in: 0 ... .max))"
        let arguments = try pipeline(
          folder,
          "run: '(setsid sh -c \"while :; do : \(token); sleep 0.02; done\" &); "
            + "while :; do echo \(token) > beat; sleep 0.02; done', tools: [setsid, sh, sleep], outputs: { b: beat }")
        let outcome = try await Program.run(arguments + ["--json", "--sandbox", policy]) { line in
          guard Program.Event(line)?.name == "started" else { return nil }
          Thread.sleep(forTimeInterval: 0.5)
          return signal
        }
        #expect(signal == SIGKILL ? outcome.signal == SIGKILL : outcome.code == 130, "\(outcome.everything)")
        try await Task.sleep(for: .milliseconds(300))
        let alive = try FileManager.default.contentsOfDirectory(atPath: "/proc").filter { process in
          guard Int(process) != nil, let bytes = FileManager.default.contents(atPath: "/proc/\(process)/cmdline")
          else { return false }
          return String(decoding: bytes, as: UTF8.self).contains(token)
        }
        #expect(alive.isEmpty)
      }
    }
  }

  @Suite("export, import, verify and sign")
  struct SharingTests {
    @Test("an exported pipeline is verified, imported and cached elsewhere, and signatures name its author")
    func handOver() async throws {
      try await withTemporaryFolder { folder in
        let pipeline = CommandStageTests.words
        func run(_ arguments: String..., store: String) async throws -> Program.Outcome {
          try await Program.run(arguments + ["--store", "\(folder)/\(store)"])
        }
        let root = try #require(try await run("run", pipeline, store: "mine").root)
        for name in ["alice", "bob"] {
          #expect(try await Program.run(["keygen", "\(folder)/\(name).key"]).code == 0)
        }
        let mode = try FileManager.default.attributesOfItem(atPath: folder + "/alice.key")[.posixPermissions]
        #expect(mode as? Int == 0o600)
        #expect(try await Program.run(["keygen", "\(folder)/alice.key"]).code == 1)
        #expect(try await run("sign", pipeline, "--key", "\(folder)/alice.key", store: "mine").code == 0)
        #expect(try await run("export", pipeline, "\(folder)/words.tar", store: "mine").code == 0)

        let taken = try await run("import", "\(folder)/words.tar", store: "theirs")
        #expect(taken.code == 0 && taken.output.contains("root \(root)"), "\(taken.everything)")
        let again = try await run("run", pipeline, store: "theirs")
        #expect(again.root == root && again.errors.contains("0 executed"))
        let trusted = try await run("audit", "--trust", "\(folder)/alice.key.pub", store: "theirs")
        #expect(trusted.code == 0 && trusted.output.contains("signed: chart.chart"), "\(trusted.everything)")
        let untrusted = try await run("audit", "--trust", "\(folder)/bob.key.pub", store: "theirs")
        #expect(untrusted.code == 2 && untrusted.output.contains("is not signed by a trusted key"))
        let provenance = try await run("provenance", pipeline, "--unsigned", store: "theirs")
        #expect(
          provenance.lines.count == 7 && provenance.lines.allSatisfy { $0.contains("https://slsa.dev/provenance/v1") })

        // The unpacked bundle is a store that includes the pipeline.
        try FileManager.default.createDirectory(atPath: folder + "/unpacked", withIntermediateDirectories: true)
        #expect(
          try await Program.run("/bin/tar", ["-xf", "\(folder)/words.tar", "-C", "\(folder)/unpacked"]).code == 0)
        let inside = try await run("run", "\(folder)/unpacked/pipeline/words.yaml", store: "unpacked")
        #expect(inside.root == root && inside.errors.contains("0 executed"), "\(inside.everything)")

        // One flipped bit in an artifact is refused.
        var bytes = try Data(contentsOf: URL(fileURLWithPath: folder + "/words.tar"))
        let place = try #require(bytes.range(of: Data("</svg>".utf8)))
        bytes[place.lowerBound] ^= 1
        try bytes.write(to: URL(fileURLWithPath: folder + "/words.tar"))
        let forged = try await run("import", "\(folder)/words.tar", store: "fresh")
        #expect(forged.code == 65 && forged.errors.contains("its bytes are not those that its SHA-256 says"))
      }
    }
  }
}
