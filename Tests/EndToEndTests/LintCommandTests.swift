import Determinism
import Foundation
import Testing

extension EndToEndTests {
  @Suite("lint")
  struct LintCommandTests {
    @Test("the reference of pipeline files is current: 'make docs-reference' renews it")
    func reference() async throws {
      let current = try await Program.run(["lint", "--reference"])
      let path = Smoke.checkout + "/docs/reference/pipeline.md"
      let written = try String(contentsOfFile: path, encoding: .utf8)
      #expect(current.code == 0 && written == current.output, "\(path) is not what the code says; make docs-reference")
    }

    @Test("all pipelines of the project are sound in all profiles and fidelities")
    func sound() async throws {
      let folder = Smoke.checkout + "/pipelines"
      for name in try FileManager.default.contentsOfDirectory(atPath: folder) where name.hasSuffix(".yaml") {
        let outcome = try await Program.run(["lint", "\(folder)/\(name)"])
        #expect(outcome.code == 0 && outcome.output.contains("no mistakes in"), "\(outcome.everything)")
      }
    }

    @Test("mistakes exit with 65, one line each, or as JSON with their places")
    func mistakes() async throws {
      try await withTemporaryFolder { folder in
        let file = folder + "/p.yaml"
        try "pipeline: p\nsed: 1\nstages:\n  a: { uses: comand }\n".write(
          toFile: file, atomically: true, encoding: .utf8)
        let text = try await Program.run(["lint", file])
        #expect(
          text.code == 65 && text.lines.count == 2 && text.errors.contains("2 mistakes")
            && text.lines[0].hasPrefix("\(file):2:1: error: "),
          "\(text.everything)")
        let json = try await Program.run(["lint", file, "--json"])
        #expect(json.code == 65)
        #expect(json.json["mistakes"]?.arrayValue?.map { $0["line"] } == [2, 4])
      }
    }

    @Test("the schema is JSON")
    func schema() async throws {
      let outcome = try await Program.run(["lint", "--schema"])
      #expect(outcome.json["properties"]?["stages"] != nil)
      #expect(try await Program.run(["lint"]).code == 64)
    }
  }
}
