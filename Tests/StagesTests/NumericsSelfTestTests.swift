import Determinism
import Testing

@testable import Stages

@Suite("The self-test of doctor")
struct NumericsSelfTestTests {
  // A change of this digest is a change of everybody's bits: raise `Traits.numericsVersion` with it.
  @Test("finds the published digest on 1, 2 and 3 threads", arguments: [1, 2, 3])
  func published(threads: Int) {
    let found = Parallel.withThreads(threads) { NumericsSelfTest.digest() }
    #expect(found.hex == NumericsSelfTest.published)
  }
}
