import Autograd
import Determinism
import Tensors

/// Adds up the gradients of passes that the members of a team ran, in the order of the passes: the sums have the bits of
/// one process that ran them all.
///
/// Passes come in rows, one for each member. Every pass sends each member its shard of all values; each member adds up
/// its shard, and all get all sums in the end. Rows travel while the caller computes the next ones.
public final class GradientExchange {
  private let parameters: [Parameter]
  private let team: any Team
  private let others: [Int]
  private let shards: GradientShards
  /// The sums of this member's shard.
  private var shard: TeamBuffer
  /// What the sums go on from.
  private var base: [Tensor?]
  /// Parameters of which there is a sum since the beginning.
  private var isSummed: [Bool]
  private var rows: [Row] = []
  private var spare: [TeamBuffer] = []

  private struct Row {
    let passes: Int
    /// A message to each member.
    let sent: TeamBuffer?
    /// A message from each pass.
    let received: TeamBuffer
    let transfer: any TeamTransfer
  }

  public init(_ parameters: [Parameter], team: any Team) {
    self.parameters = parameters
    self.team = team
    others = (0..<team.size).filter { $0 != team.rank }
    shards = GradientShards(parameters, members: team.size)
    shard = TeamBuffer(count: 4 * shards.counts[team.rank])
    base = Array(repeating: nil, count: parameters.count)
    isSummed = Array(repeating: false, count: parameters.count)
  }

  /// Starts sums that go on from others, such as those of the passes before.
  public func begin(with sums: [Tensor?]) {
    precondition(rows.isEmpty, "GradientExchange: \(rows.count) rows are left")
    base = sums
    isSummed = Array(repeating: false, count: parameters.count)
  }

  /// Sends the next row on its way and returns.
  /// - Parameters:
  ///   - gradients: by parameter, of this member's pass; nil where it has none in this row.
  ///   - passes: of the row: those of the first members.
  public func send(_ gradients: [Tensor?]?, passes: Int) {
    precondition((gradients != nil) == (team.rank < passes), "GradientExchange: rank \(team.rank) of \(passes) passes")
    let capacity = shards.capacity
    let packed = gradients.map(pack)
    let received = buffer(passes * capacity)
    let transfer = team.start(
      sends: packed.map { packed in
        others.map { TeamMessage($0, packed.buffer, $0 * capacity..<$0 * capacity + packed.bytes[$0]) }
      } ?? [],
      receipts: others.filter { $0 < passes }.map {
        TeamMessage($0, received, $0 * capacity..<($0 + 1) * capacity)
      })
    rows.append(Row(passes: passes, sent: packed?.buffer, received: received, transfer: transfer))
  }

  /// Adds up the oldest rows, waiting for them, until so many are left on their way.
  /// - Throws: `TeamFailure`.
  public func fold(leaving count: Int = 0) throws {
    while rows.count > count {
      let row = rows.removeFirst()
      try row.transfer.wait()
      for pass in 0..<row.passes {
        add((pass == team.rank ? row.sent! : row.received).bytes.baseAddress! + pass * shards.capacity)
      }
      spare += [row.sent, row.received].compactMap { $0 }
    }
  }

  /// Adds up what is left.
  /// - Returns: the sums by parameter; nil where there is none.
  /// - Throws: `TeamFailure`.
  public func finish() throws -> [Tensor?] {
    try fold()
    let layouts = (0..<team.size).map { shards.places(to: $0, after: 0) { isSummed[$0] } }
    var parts = layouts.map { buffer($0.bytes) }
    let (places, bytes) = layouts[team.rank]
    if isSummed.allSatisfy({ $0 }) {
      // Nothing is left out: the shard itself is the message.
      swap(&parts[team.rank], &shard)
    } else {
      for (piece, place) in zip(shards.pieces[team.rank], places) where place >= 0 {
        (parts[team.rank].bytes.baseAddress! + place)
          .copyMemory(from: shard.bytes.baseAddress! + 4 * piece.place, byteCount: 4 * piece.count)
      }
    }
    try team.start(
      sends: bytes == 0 ? [] : others.map { TeamMessage($0, parts[team.rank], 0..<bytes) },
      receipts: others.filter { layouts[$0].bytes > 0 }.map { TeamMessage($0, parts[$0], 0..<layouts[$0].bytes) }
    ).wait()
    let sums = tensors(parts, layouts.map(\.places))
    spare += parts
    base = Array(repeating: nil, count: parameters.count)
    return sums
  }

  // MARK: Parts

  /// A buffer of at least so many bytes. The same few are used again: the first touch of new memory costs more than a
  /// copy.
  private func buffer(_ count: Int) -> TeamBuffer {
    let i = spare.indices.filter { spare[$0].bytes.count >= count }.min {
      spare[$0].bytes.count < spare[$1].bytes.count
    }
    return i.map { spare.remove(at: $0) } ?? TeamBuffer(count: count)
  }

  /// Writes the message of a pass to each member: the marks of its gradients, then their values in the member's shard.
  private func pack(_ gradients: [Tensor?]) -> (buffer: TeamBuffer, bytes: [Int]) {
    let buffer = buffer(team.size * shards.capacity)
    let layouts = (0..<team.size).map { shards.places(to: $0, after: shards.markBytes) { gradients[$0] != nil } }
    for (member, layout) in layouts.enumerated() {
      let message = SharedBytes(buffer.bytes.baseAddress! + member * shards.capacity)
      message.bytes.initializeMemory(as: UInt8.self, repeating: 0, count: shards.markBytes)
      for (i, gradient) in gradients.enumerated() where gradient != nil {
        let marks = message.bytes.load(fromByteOffset: i / 8, as: UInt8.self)
        message.bytes.storeBytes(of: marks | 1 << UInt8(i % 8), toByteOffset: i / 8, as: UInt8.self)
      }
      let pieces = shards.pieces[member]
      Parallel.forEachChunk(pieces.count, chunk: GradientExchange.piecesPerTask) { range in
        for i in range where layout.places[i] >= 0 {
          let piece = pieces[i]
          gradients[piece.parameter]!.withElements { values in
            (message.bytes + layout.places[i])
              .copyMemory(from: values.baseAddress! + piece.start, byteCount: 4 * piece.count)
          }
        }
      }
    }
    return (buffer, layouts.map(\.bytes))
  }

  private static let piecesPerTask = 8

  /// Adds the message of a pass to this member's shard. The first gradient of a parameter is copied: 0 + -0 would lose
  /// its sign.
  private func add(_ message: UnsafeMutableRawPointer) {
    let message = SharedBytes(message)
    func isThere(_ parameter: Int) -> Bool {
      message.bytes.load(fromByteOffset: parameter / 8, as: UInt8.self) >> UInt8(parameter % 8) & 1 == 1
    }
    let pieces = shards.pieces[team.rank]
    let (places, _) = shards.places(to: team.rank, after: shards.markBytes, where: isThere)
    let sums = SharedBytes(shard.bytes.baseAddress!)
    Parallel.forEachChunk(pieces.count, chunk: GradientExchange.piecesPerTask) { range in
      for i in range where places[i] >= 0 {
        let piece = pieces[i]
        let gradient = (message.bytes + places[i]).assumingMemoryBound(to: Float.self)
        let sum = sums.bytes.assumingMemoryBound(to: Float.self) + piece.place
        if isSummed[piece.parameter] {
          for j in 0..<piece.count { sum[j] += gradient[j] }
        } else if let base = base[piece.parameter] {
          base.withElements { base in
            for j in 0..<piece.count { sum[j] = base[piece.start + j] + gradient[j] }
          }
        } else {
          sum.update(from: gradient, count: piece.count)
        }
      }
    }
    for parameter in isSummed.indices where isThere(parameter) { isSummed[parameter] = true }
  }

  /// Puts the shards of all members together.
  private func tensors(_ parts: [TeamBuffer], _ places: [[Int]]) -> [Tensor?] {
    var pieces = [[(piece: GradientShards.Piece, source: SharedBytes)]](repeating: [], count: parameters.count)
    for (member, part) in parts.enumerated() {
      for (piece, place) in zip(shards.pieces[member], places[member]) where place >= 0 {
        pieces[piece.parameter].append((piece, SharedBytes(part.bytes.baseAddress! + place)))
      }
    }
    let shapes = parameters.map(\.value.shape)
    return Parallel.map(shapes.count) { i in
      guard isSummed[i] else { return base[i] }
      return Tensor(
        shape: shapes[i],
        filledBy: { values in
          for (piece, source) in pieces[i] {
            UnsafeMutableRawPointer(values.baseAddress! + piece.start)
              .copyMemory(from: source.bytes, byteCount: 4 * piece.count)
          }
        })
    }
  }

  /// Carries a pointer into a loop whose iterations touch disjoint bytes.
  private struct SharedBytes: @unchecked Sendable {
    // Invariant: iteration i of the loop that holds this pointer writes bytes of its own.
    let bytes: UnsafeMutableRawPointer
    init(_ bytes: UnsafeMutableRawPointer) { self.bytes = bytes }
  }
}
