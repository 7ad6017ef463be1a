import Tensors

/// Cuts the values of all parameters, laid one after the other, into one shard for each member of a team.
struct GradientShards {
  /// A part of a parameter that lies in one shard.
  struct Piece {
    let parameter: Int
    /// The first value, in the parameter.
    let start: Int
    let count: Int
    /// The first value, in the shard.
    let place: Int
  }

  /// By member, in the order of the parameters.
  let pieces: [[Piece]]
  /// Values of each shard.
  let counts: [Int]
  /// Bytes in front of the values of a message: a bit for each parameter tells whether it has a gradient.
  let markBytes: Int

  init(_ parameters: [Parameter], members: Int) {
    let all = parameters.reduce(0) { $0 + $1.value.count }
    // Multiples of 16 values keep vectors aligned.
    let bounds = (0...members).map { $0 == members ? all : all * $0 / members & ~15 }
    var pieces = [[Piece]](repeating: [], count: members)
    var first = 0
    for (i, parameter) in parameters.enumerated() {
      let end = first + parameter.value.count
      for w in 0..<members {
        let (from, to) = (max(first, bounds[w]), min(end, bounds[w + 1]))
        guard from < to else { continue }
        pieces[w].append(Piece(parameter: i, start: from - first, count: to - from, place: from - bounds[w]))
      }
      first = end
    }
    self.pieces = pieces
    counts = (0..<members).map { bounds[$0 + 1] - bounds[$0] }
    markBytes = ((parameters.count + 7) / 8 + 63) & ~63
  }

  /// Bytes of the longest message, a multiple of 64.
  var capacity: Int { (markBytes + 4 * counts.max()! + 63) & ~63 }

  /// Where the values of the pieces of a member lie in a message that leaves some parameters out, in bytes; -1 for
  /// those.
  /// - Returns: the places, and the bytes of the message.
  func places(to member: Int, after front: Int, where isThere: (Int) -> Bool) -> (places: [Int], bytes: Int) {
    var end = front
    let places = pieces[member].map { piece in
      guard isThere(piece.parameter) else { return -1 }
      defer { end += 4 * piece.count }
      return end
    }
    return (places, end)
  }
}
