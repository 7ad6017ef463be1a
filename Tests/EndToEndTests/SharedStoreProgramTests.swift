import Foundation
import Testing

extension EndToEndTests {
  @Suite("Machines that share a store")
  struct SharedStoreProgramTests {
    /// Script of the repository that runs many processes, each with a view of the store's file system of its own.
    private static let script: String = {
      let here = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      return here.deletingLastPathComponent().appendingPathComponent("Cluster/workers").path
    }()

    @Test(
      "six processes that see each other's names late all succeed with one root, whether locks reach or not",
      arguments: ["local", "forwarded"])
    func workers(locks: String) async throws {
      let outcome = try await Program.run(
        Self.script, [Program.path, "6"], environment: ["CACHE": "3", "LOCKS": locks, "ELEMENTS": "4"])
      // Without root, /dev/fuse or bindfs there are no such views.
      guard outcome.code != 77 else { return print(outcome.output) }
      #expect(outcome.code == 0, "\(outcome.everything)")
      #expect(outcome.output.contains("6 of 6 succeeded") && outcome.output.contains("roots: 1, audit 0"))
      #expect(outcome.output.contains("0 things left behind"), "\(outcome.output)")
    }
  }
}
