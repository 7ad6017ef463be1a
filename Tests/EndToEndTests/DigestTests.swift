import Foundation
import Testing

extension EndToEndTests {
  @Suite("digest: names the content of any file")
  struct DigestTests {
    @Test("the digest of an artifact is its name, and an independent script agrees")
    func artifacts() async throws {
      let store = try await Reference.finished.store
      let reader = try await Program.run("/usr/bin/env", ["python3", "-c", "import h5py, numpy"])
      let hasReader = reader.code == 0
      if !hasReader {
        print("skipped: python3 has no h5py, so no script checks the digests (apt install python3-h5py)")
      }
      for stage in ["pretrain", "finetune", "pretrain-selected", "retrain"] {
        let path = try await Smoke.path("weights", of: stage, store: store)
        let outcome = try await Program.run(["digest", path])
        #expect(outcome.code == 0, "\(outcome.everything)")
        let digest = try #require(outcome.lines.first)
        #expect(path.replacing("/", with: "").contains(digest), "\(path): \(digest)")
        guard hasReader else { continue }
        let script = try await Program.run(
          "/usr/bin/env", ["python3", Smoke.checkout + "/Tests/Reference/digest.py", path])
        #expect(script.lines.first == digest, "\(script.errors)")
      }
      let architecture = try await Smoke.path("architecture", of: "select", store: store)
      let outcome = try await Program.run(["digest", architecture])
      #expect(architecture.replacing("/", with: "").contains(try #require(outcome.lines.first)))
    }

    @Test("a file that is not HDF5 exits with 65", arguments: ["no such file", "empty", "text", "folder", "cut"])
    func malformed(_ kind: String) async throws {
      let store = try await Reference.finished.store
      try await withTemporaryFolder { folder in
        let path = folder + "/file.h5"
        switch kind {
        case "empty": try Data().write(to: URL(fileURLWithPath: path))
        case "text": try Data("hello".utf8).write(to: URL(fileURLWithPath: path))
        case "folder": try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        case "cut":
          let whole = try await Smoke.path("weights", of: "retrain", store: store)
          let bytes = try Data(contentsOf: URL(fileURLWithPath: whole))
          try bytes.prefix(bytes.count / 2).write(to: URL(fileURLWithPath: path))
        default: break
        }
        let outcome = try await Program.run(["digest", path])
        #expect(outcome.code == 65, "\(outcome.everything)")
        #expect(outcome.errors.contains(path), "\(outcome.errors)")
        #expect(outcome.output.isEmpty)
      }
    }

    @Test(
      "malformed HDF5 that crashes other readers gives a digest or exits with 65, within seconds", .needs("bad/hdf5"))
    func foreign() async throws {
      let folder = try #require(TestData.folder("bad/hdf5"))
      let names = try FileManager.default.contentsOfDirectory(atPath: folder).filter { !$0.hasSuffix(".json") }.sorted()
      #expect(names.count > 50)
      for name in names {
        let outcome = try await Program.run(
          ["digest", "\(folder)/\(name)", "--seconds", "5"], limit: .seconds(60))
        #expect(outcome.code == 0 || outcome.code == 65, "\(name): \(outcome)")
        #expect(
          outcome.code == 0 ? outcome.lines.count == 1 : outcome.errors.contains("error: "), "\(name): \(outcome)")
      }
    }
  }
}
