import Foundation
import Testing

@testable import ArtifactStore
@testable import Percolation
@testable import Provenance

@Suite("The percolation example of the library")
struct PercolationTests {
  @Test("reproduces the percolation threshold of the square lattice, and a second run is cached")
  func threshold() throws {
    let bench = try Bench()
    let store = try Store(path: bench.storePath, registry: Percolation.registry)
    let first = try Percolation.reproduce(in: store)
    // 0.59274602 (Newman & Ziff 2000); a 64 x 64 lattice has a finite-size error of about 0.01.
    #expect(abs(first.threshold - 0.592746) < 0.012 && first.uncertainty < 0.001)
    #expect(first.executed == 5 + 20 + 1)
    let second = try Percolation.reproduce(in: store)
    #expect(second.executed == 0 && second.root == first.root)
    #expect(try Auditor(store: store, deep: true).audit().isSound)
  }
}
