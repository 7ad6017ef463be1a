import Determinism
import Foundation
import Testing

extension EndToEndTests {
  @Suite("audit: finds and names damage")
  struct AuditTests {
    /// A file of a store to damage: the first by name below `folder` with this ending.
    struct Place: Sendable, CustomTestStringConvertible {
      let folder: String
      let ending: String
      var testDescription: String { "\(folder)/*\(ending)" }

      static let all = [
        Place(folder: "objects", ending: ".h5"), Place(folder: "objects", ending: ".h5.sha256"),
        Place(folder: "objects", ending: ".json"), Place(folder: "objects", ending: ".png"),
        Place(folder: "objects", ending: "/manifest"), Place(folder: "records", ending: ".json"),
      ]

      /// Its path, relative to the store.
      func file(in store: String) throws -> String {
        let names = try #require(FileManager.default.enumerator(atPath: "\(store)/\(folder)"))
          .compactMap { $0 as? String }.sorted()
        return try folder + "/" + #require(names.first { $0.hasSuffix(ending) }, "no \(ending) in \(folder)")
      }
    }

    @Test("a sound store exits with 0")
    func sound() async throws {
      let store = try await Reference.finished.store
      for more in [[], ["--deep"], [Smoke.pipeline, "--profile", "smoke"]] {
        let outcome = try await Program.run(["audit", "--store", store] + more)
        #expect(outcome.code == 0, "\(outcome.everything)")
        #expect(outcome.output.contains("71 records"), "\(outcome.output)")
        #expect(outcome.output.contains("no problems found"))
      }
    }

    @Test("one flipped bit is found, and its file named", arguments: Place.all)
    func flippedBit(_ place: Place) async throws {
      try await Reference.withCopy { store in
        let file = try place.file(in: store)
        let bytes = try Data(contentsOf: URL(fileURLWithPath: "\(store)/\(file)"))
        // The first byte, the last one, and one in between.
        for (position, bit) in [(0, 0), (bytes.count * 5 / 8, 3), (bytes.count - 1, 7)] {
          var harmed = bytes
          harmed[position] ^= 1 << bit
          try overwrite("\(store)/\(file)", harmed)
          try await expectFound(file, store: store, "bit \(bit) of byte \(position)")
        }
        let words = try await Program.run(["audit", "--store", store])
        #expect(words.code == 2)
        #expect(words.output.contains(" problem"), "\(words.output)")
        try overwrite("\(store)/\(file)", bytes)
        let repaired = try await Program.run(["audit", "--store", store])
        #expect(repaired.code == 0, "\(repaired.everything)")
      }
    }

    @Test("a deleted file is found and named", arguments: Place.all)
    func deleted(_ place: Place) async throws {
      try await Reference.withCopy { store in
        let file = try place.file(in: store)
        try FileManager.default.removeItem(atPath: "\(store)/\(file)")
        try await expectFound(file, store: store, "deleted")
      }
    }

    @Test("an edited record is found and named")
    func editedRecord() async throws {
      try await Reference.withCopy { store in
        // Without the audit, an edit could point a leaderboard to the quality of another model.
        let status = try await Smoke.status("quality", store: store)
        let instance = try #require(status["instances"]?.arrayValue?.first)
        let file = "records/\(try #require(instance["key"]?.stringValue)).json"
        let digest = try #require(instance["outputs"]?["quality"]?["digest"]?.stringValue)
        let other = try await Smoke.status("select", store: store)
        let text = try String(contentsOfFile: "\(store)/\(file)", encoding: .utf8)
        let wrong = try #require(
          other["instances"]?.arrayValue?.first?["outputs"]?["architecture"]?["digest"]?.stringValue)
        let edited = text.replacingOccurrences(of: digest, with: wrong)
        #expect(edited != text)
        try overwrite("\(store)/\(file)", Data(edited.utf8))
        try await expectFound(file, store: store, "edited")
      }
    }

    /// Expects the audit to exit with 2 and to name the file.
    private func expectFound(_ file: String, store: String, _ harm: String) async throws {
      let outcome = try await Program.run(["audit", "--json", "--store", store])
      #expect(outcome.code == 2, "\(harm): \(outcome.everything)")
      #expect(outcome.json["sound"]?.boolValue == false)
      let findings = (outcome.json["findings"]?.arrayValue ?? []).filter { $0["kind"]?.stringValue != "orphaned" }
      // A file of a tree is named relative to the tree.
      let names = [
        file, file.components(separatedBy: ".tree/files/").last!, file.replacing(".sha256", with: ""),
        file.replacing("/manifest", with: ""),
      ]
      let isNamed = findings.contains { finding in
        let text = (finding["path"]?.stringValue ?? "") + " " + (finding["message"]?.stringValue ?? "")
        return names.contains { text.contains($0) }
      }
      #expect(isNamed, "\(file), \(harm): \(outcome.output)")
    }

    private func overwrite(_ path: String, _ bytes: Data) throws {
      makeWritable(path)
      try bytes.write(to: URL(fileURLWithPath: path))
    }
  }
}
