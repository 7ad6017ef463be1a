import Foundation
import Testing

extension EndToEndTests {
  @Suite("Repeated kill -9")
  struct CrashTests {
    /// `make crash-test` does the same with 500 kills.
    @Test("after twenty kills at random moments every audit is clean and the root is the same")
    func kills() async throws {
      let outcome = try await Program.run(
        "/usr/bin/env",
        [
          "python3", Smoke.checkout + "/.ci/crash-test", "--kills", "20", "--seed", "7", "--root", Smoke.root,
          "--binary",
          Program.path, Smoke.pipeline, "--profile", "smoke",
        ])
      #expect(outcome.code == 0 && outcome.lines.last == "survived 20 of 20", "\(outcome.everything)")
    }
  }
}
