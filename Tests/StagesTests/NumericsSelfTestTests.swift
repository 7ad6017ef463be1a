import Determinism
import Testing

@testable import Stages

@Suite("NumericsSelfTest")
struct NumericsSelfTestTests {
  // A change of this digest changes the bits of all results, and needs a new `Traits.numericsVersion`.
  @Test("finds the published digest on 1, 2 and 3 threads", arguments: [1, 2, 3])
  func published(threads: Int) {
    let found = Parallel.withThreads(threads) { NumericsSelfTest.digest() }
    #expect(found.hex == NumericsSelfTest.published)
  }

  @Test("the summary names what was tested, or what differs")
  func summary() throws {
    func finding(
      _ set: String, _ threads: Int, _ digest: String? = NumericsSelfTest.published
    )
      -> NumericsSelfTest.Finding
    { .init(instructionSet: set, threads: threads, digest: digest) }
    let fine = try NumericsSelfTest.summary(of: [finding("scalar", 1), finding("scalar", 2), finding("avx2", 1)])
    #expect(fine == "a small training gives the published bits (f0e6f947b3a5) with scalar, avx2 on 1, 2 threads")
    let error = #expect(throws: StageError.self) {
      try NumericsSelfTest.summary(of: [
        finding("scalar", 1), finding("avx2", 2, "0123456789abcdef"), finding("x", 1, nil),
      ])
    }
    let text = try #require(error).description
    #expect(
      text.contains("2 of 3 runs") && text.contains("avx2 on 2: 0123456789ab") && text.contains("x on 1: crashed"))
  }

  @Test("the image decoder of this machine is the published one")
  func decoder() throws { #expect(try NumericsSelfTest.decoderCheck.run().contains("ce280e216b03")) }
}
