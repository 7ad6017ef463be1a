import Determinism
import Testing
import ThreadTeams

@Suite("Team")
struct TeamTests {
  private func all<R: Sendable & Equatable>(
    _ size: Int, _ body: @escaping @Sendable (ThreadTeam) throws -> R
  ) throws -> [R] {
    try ThreadTeam.run(size, body).map { try $0.get() }
  }

  @Test("what each member gives reaches all, in the order of ranks, whatever its length", arguments: 1...4)
  func gather(_ size: Int) throws {
    let expected = (0..<size).map { rank in [UInt8](repeating: UInt8(rank + 1), count: rank * 3 % 4) }
    for found in try all(size, { try $0.gather([UInt8](repeating: UInt8($0.rank + 1), count: $0.rank * 3 % 4)) }) {
      #expect(found == expected)
    }
    let atLeader = try all(size) {
      try $0.gatherToLeader([UInt8](repeating: UInt8($0.rank + 1), count: $0.rank * 3 % 4))
    }
    #expect(atLeader[0] == expected && atLeader.dropFirst().allSatisfy { $0.isEmpty })
  }

  @Test("what the leader gives reaches all", arguments: 1...4)
  func broadcast(_ size: Int) throws {
    for text in [[], [7, 8, 9]] as [[UInt8]] {
      #expect(try all(size) { try $0.broadcast($0.isLeader ? text : [1]) } == Array(repeating: text, count: size))
    }
  }

  @Test("one member that wants to stop is enough", arguments: 1...4)
  func agree(_ size: Int) throws {
    #expect(try all(size) { try $0.agree(any: $0.rank == size - 1) } == Array(repeating: true, count: size))
    #expect(try all(size) { try $0.agree(any: false) } == Array(repeating: false, count: size))
  }

  private struct Trouble: Error {}

  @Test("nobody waits for a member that failed; everybody learns why")
  func failure() {
    let ends = ThreadTeam.run(3) { team in
      try team.meet()
      if team.rank == 1 { throw Trouble() }
      while true { try team.meet() }
    }
    for (rank, end) in ends.enumerated() {
      #expect(throws: (any Error).self) { try end.get() }
      if rank != 1, case .failure(let error) = end {
        #expect((error as? TeamFailure)?.rank == 1 && "\(error)" == "worker 2 of 3 failed: Trouble()")
      }
    }
  }

  @Test("transfers that are awaited in another order than they were started get their own bytes")
  func order() throws {
    let found = try all(2) { team in
      let buffers = (0..<2).map { _ in TeamBuffer(count: 1) }
      let transfers = (0..<2).map { i in
        team.start(
          sends: [TeamMessage(1 - team.rank, TeamBuffer([UInt8(10 * team.rank + i)]))],
          receipts: [TeamMessage(1 - team.rank, buffers[i])])
      }
      for transfer in transfers.reversed() { try transfer.wait() }
      return buffers.map { $0.bytes[0] }
    }
    #expect(found == [[10, 11], [0, 1]])
  }

  @Test("numbers and blocks are read as they were written")
  func wire() {
    var bytes = WireBytes()
    bytes.write(-3)
    bytes.write([-0.0, .infinity, 1.5])
    bytes.write([1, 2] as [UInt8])
    bytes.write(Array("ä".utf8))
    var reader = WireReader(bytes.bytes)
    #expect(reader.integer() == -3)
    #expect(reader.doubles().map(\.bitPattern) == [-0.0, .infinity, 1.5].map(\.bitPattern))
    #expect(reader.block() == [1, 2] && reader.text() == "ä")
  }
}
