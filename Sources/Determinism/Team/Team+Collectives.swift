/// What all members call in the same order, each for itself. All of it throws `TeamFailure` once a member failed.
extension Team {
  public var isLeader: Bool { rank == 0 }

  private var others: [Int] { (0..<size).filter { $0 != rank } }

  /// What each member gave, by rank: everybody gets all of it.
  public func gather(_ bytes: [UInt8]) throws -> [[UInt8]] {
    guard size > 1 else { return [bytes] }
    let counts = try gather(counts: bytes.count)
    let mine = TeamBuffer(bytes)
    let buffers = counts.map { TeamBuffer(count: $0) }
    try start(
      sends: bytes.isEmpty ? [] : others.map { TeamMessage($0, mine, 0..<bytes.count) },
      receipts: others.filter { counts[$0] > 0 }.map { TeamMessage($0, buffers[$0], 0..<counts[$0]) }
    ).wait()
    return counts.indices.map { $0 == rank ? bytes : Array(buffers[$0].bytes.prefix(counts[$0])) }
  }

  /// The same for the leader alone; the others get nothing.
  public func gatherToLeader(_ bytes: [UInt8]) throws -> [[UInt8]] {
    guard size > 1 else { return [bytes] }
    let counts = try gather(counts: bytes.count)
    guard isLeader else {
      let message = TeamMessage(0, TeamBuffer(bytes), 0..<bytes.count)
      try start(sends: bytes.isEmpty ? [] : [message], receipts: []).wait()
      return []
    }
    let buffers = counts.map { TeamBuffer(count: $0) }
    try start(
      sends: [],
      receipts: others.filter { counts[$0] > 0 }.map { TeamMessage($0, buffers[$0], 0..<counts[$0]) }
    ).wait()
    return counts.indices.map { $0 == rank ? bytes : Array(buffers[$0].bytes.prefix(counts[$0])) }
  }

  /// What the leader gave; what the others give is of no account.
  public func broadcast(_ bytes: [UInt8]) throws -> [UInt8] {
    guard size > 1 else { return bytes }
    guard isLeader else {
      let count = TeamBuffer(count: 8)
      try start(sends: [], receipts: [TeamMessage(0, count)]).wait()
      let buffer = TeamBuffer(count: count.bytes.load(as: Int.self))
      try start(sends: [], receipts: [TeamMessage(0, buffer)]).wait()
      return Array(buffer.bytes.prefix(count.bytes.load(as: Int.self)))
    }
    let count = TeamBuffer(count: 8)
    count.bytes.storeBytes(of: bytes.count, as: Int.self)
    let buffer = TeamBuffer(bytes)
    let transfers = [count, buffer].map { buffer in
      start(sends: others.map { TeamMessage($0, buffer) }, receipts: [])
    }
    for transfer in transfers { try transfer.wait() }
    return bytes
  }

  /// Whether this is so for any member.
  public func agree(any flag: Bool) throws -> Bool {
    guard size > 1 else { return flag }
    return try gather(counts: flag ? 1 : 0).contains { $0 != 0 }
  }

  /// Waits until all members are here.
  public func meet() throws { _ = try agree(any: false) }

  /// One number of each member, by rank.
  private func gather(counts number: Int) throws -> [Int] {
    let mine = TeamBuffer(count: 8)
    mine.bytes.storeBytes(of: number, as: Int.self)
    let all = TeamBuffer(count: 8 * size)
    try start(
      sends: others.map { TeamMessage($0, mine) },
      receipts: others.map { TeamMessage($0, all, 8 * $0..<8 * $0 + 8) }
    ).wait()
    return (0..<size).map { $0 == rank ? number : all.bytes.load(fromByteOffset: 8 * $0, as: Int.self) }
  }
}
