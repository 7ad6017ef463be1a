import Foundation
import PipelineFiles
import Testing

extension EndToEndTests {
  @Suite("The pipeline of planted landscapes")
  struct LandscapePipelineTests {
    private static let pipeline = Smoke.checkout + "/pipelines/search-landscape.yaml"

    @Test("its smoke profile ends with the expected root, whatever the number of threads")
    func root() async throws {
      let file = try PipelineFile(path: Self.pipeline)
      let root = try #require(try file.expectedRoot(profile: "smoke", seed: nil)?.root)
      #expect(try file.expectedRoot(profile: nil, seed: nil) != nil)
      for threads in [1, 2] {
        try await withTemporaryFolder { folder in
          let setting = Smoke.Setting(threads: threads)
          let outcome = try await Smoke.run(store: folder + "/store", pipeline: Self.pipeline, setting)
          #expect(outcome.code == 0, "\(outcome.everything)")
          #expect(outcome.finalRoot == root)
        }
      }
    }

    @Test("the whole suite is valid")
    func valid() async throws {
      try await withTemporaryFolder { folder in
        let outcome = try await Program.run(["plan", Self.pipeline, "--store", folder + "/store"])
        #expect(outcome.code == 0, "\(outcome.everything)")
      }
    }
  }
}
