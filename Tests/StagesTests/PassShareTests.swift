import Determinism
import Testing

@testable import Stages

@Suite("PassShare")
struct PassShareTests {
  private struct Member: Team {
    let rank: Int
    let size: Int
    var failure: TeamFailure? { nil }
    func start(sends: [TeamMessage], receipts: [TeamMessage]) -> any TeamTransfer {
      SoloTeam().start(sends: [], receipts: [])
    }
    func fail(_ failure: TeamFailure) {}
  }

  @Test("each segment is dealt out from its first pass on, and every pass has one member")
  func dealt() {
    let segments = [0..<3, 3..<4, 4..<6, 6..<8, 8..<9, 9..<12]
    let shares = (0..<2).map { PassShare(segments, for: Member(rank: $0, size: 2)) }
    #expect(shares[0].own == [0, 2, 3, 4, 6, 8, 9, 11] && shares[1].own == [1, 5, 7, 10])
    for size in 1...5 {
      let all = (0..<size).flatMap { PassShare(segments, for: Member(rank: $0, size: size)).own }
      #expect(all.sorted() == Array(0..<12))
    }
  }

  @Test("a member loads the batches of its own passes alone")
  func steps() {
    let share = PassShare([0..<3], for: Member(rank: 1, size: 2))
    #expect(share.own == [1])
    #expect((0..<4).map(share.step) == [1, 4, 7, 10])
    let whole = PassShare([0..<3], for: SoloTeam())
    #expect((0..<7).map(whole.step) == Array(0..<7))
    // More members than passes: the last have none.
    #expect(PassShare([0..<3], for: Member(rank: 3, size: 4)).own == [])
  }
}
