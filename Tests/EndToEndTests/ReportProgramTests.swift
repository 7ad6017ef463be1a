import Determinism
import Foundation
import Testing

/// The command `report`, on a pipeline of commands.
@Suite("The program writes reports")
struct ReportProgramTests {
  private static let pipeline = """
    pipeline: trees
    stages:
      train:
        uses: command
        with:
          run: "printf '{\\"accuracy\\": 0.75}' > scores.json; printf 'x' > log.txt"
          outputs: { scores: scores.json, log: log.txt }
    profiles:
      full: {}
    """

  @Test("equal stores give one SHA-256, from any folder, path and locale; the default name is that of the pipeline")
  func reproducible() async throws {
    try await withTemporaryFolder { folder in
      for place in ["a", "b/c"] {
        try FileManager.default.createDirectory(atPath: "\(folder)/\(place)", withIntermediateDirectories: true)
        try Data(Self.pipeline.utf8).write(to: URL(fileURLWithPath: "\(folder)/\(place)/trees.yaml"))
      }
      let first = try await Program.run(["run", "trees.yaml", "--sandbox", "off"], in: folder + "/a")
      let second = try await Program.run(
        ["run", "b/c/trees.yaml", "--store", "other", "--sandbox", "off"], in: folder)
      #expect(first.code == 0 && second.code == 0, "\(first.everything)\(second.everything)")
      let reports = [
        try await Program.run(["report", "trees.yaml", "--reproducible"], in: folder + "/a"),
        try await Program.run(
          ["report", "\(folder)/b/c/trees.yaml", "--reproducible", "-o", "r.html", "--store", "other"],
          environment: ["LC_ALL": "tr_TR.UTF-8", "TZ": "Asia/Tokyo", "AUTOPANOPTIC_THREADS": "1"], in: folder),
      ]
      for report in reports { #expect(report.code == 0, "\(report.everything)") }
      #expect(reports[0].lines.count == 1 && reports[0].output.hasPrefix("trees.html: "))
      let files = try ["a/trees.html", "r.html"].map { try Data(contentsOf: URL(fileURLWithPath: "\(folder)/\($0)")) }
      #expect(files[0] == files[1])
      let text = String(decoding: files[0], as: UTF8.self)
      #expect(text.contains(first.root ?? "?") && text.contains("autopanoptic run trees.yaml --store check"))
      #expect(!text.contains(folder) && !text.contains("This execution"))
    }
  }

  @Test("what can't be written or read is said before anything is made")
  func mistakes() async throws {
    try await withTemporaryFolder { folder in
      try Data(Self.pipeline.utf8).write(to: URL(fileURLWithPath: folder + "/trees.yaml"))
      let nowhere = try await Program.run(["report", "trees.yaml", "-o", "no/such/folder.html"], in: folder)
      #expect(nowhere.code == 1 && nowhere.errors.contains("folder.html"), "\(nowhere.everything)")
      let unknown = try await Program.run(["report", "trees.yaml", "--profile", "ful"], in: folder)
      #expect(unknown.code == 65 && unknown.errors.contains("did you mean 'full'"), "\(unknown.everything)")
      // Without a store, all stages are missing; none is made.
      let empty = try await Program.run(["report", "trees.yaml", "--no-audit"], in: folder)
      #expect(empty.code == 0 && !FileManager.default.fileExists(atPath: folder + "/artifacts"))
      let text = try String(contentsOfFile: folder + "/trees.html", encoding: .utf8)
      #expect(text.contains("Not complete.") && text.contains("made without an audit"))
    }
  }
}
