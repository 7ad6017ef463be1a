import Tensors
import Testing

extension EndToEndTests {
  @Suite("doctor")
  struct DoctorTests {
    @Test("says whether this machine reproduces the published results, and what was checked")
    func verdict() async throws {
      try await withTemporaryFolder { folder in
        let outcome = try await Program.run(["doctor", "--threads", "3"], in: folder)
        #expect(outcome.code == 0, "\(outcome.output)")
        let numerics = try #require(outcome.lines.first { $0.contains("numerics") })
        for set in Backend.supported { #expect(numerics.contains(set.rawValue)) }
        #expect(numerics.contains("published bits (f0e6f947b3a5)") && numerics.contains("on 1, 2, 3 threads"))
        #expect(outcome.output.contains("this machine can reproduce published results, bit for bit"))
      }
    }

    @Test("--json prints the same facts")
    func json() async throws {
      try await withTemporaryFolder { folder in
        let outcome = try await Program.run(["doctor", "--json"], in: folder)
        let items = try #require(outcome.json.arrayValue)
        let names = items.compactMap { $0["name"]?.stringValue }
        #expect(names.contains("numerics") && names.contains("decoder") && names.contains("verdict"))
        #expect(items.allSatisfy { $0["fine"]?.boolValue == true })
      }
    }
  }
}
