import Determinism

/// Numbered pieces of work that need nothing of each other, such as the pictures of an evaluation, go to the members
/// of a team in rounds. After a round all results are together.
extension Team {
  /// Pieces of a round. Alone each piece is one; with others a few for each, so that slow and quick ones balance.
  var roundLength: Int { size == 1 ? 1 : 4 * size }

  /// Does the pieces of a round, each by one member.
  /// - Parameter forAll: whether all members get the results, or the leader alone.
  /// - Returns: what `work` made of each piece, in their order; nothing for members that get none.
  /// - Throws: what `work` throws; `TeamFailure`.
  func deal(_ pieces: Range<Int>, forAll: Bool, _ work: (Int) throws -> [UInt8]) throws -> [[UInt8]] {
    var mine = WireBytes()
    for piece in pieces where (piece - pieces.lowerBound) % size == rank { mine.write(try work(piece)) }
    var readers = try (forAll ? gather(mine.bytes) : gatherToLeader(mine.bytes)).map(WireReader.init)
    return readers.isEmpty ? [] : pieces.map { readers[($0 - pieces.lowerBound) % size].block() }
  }
}
