/// How a tensor is split into HDF5 chunks: each is one contiguous run of elements in row-major order, about 1 MiB, so
/// that splitting and joining are plain copies.
struct ChunkLayout {
  /// Chunks have at most this many bytes.
  static let maximalBytes = 1 << 20
  /// Tensors with fewer bytes are stored contiguously without filters, which would add more than they save.
  static let minimalBytes = 512

  let shape: [Int]
  /// Extents of a chunk: ones, then a part of dimension `cut`, then whole dimensions.
  let chunk: [Int]
  /// The dimension that is split.
  private let cut: Int
  /// Elements in one step along `cut`.
  private let inner: Int
  /// Chunks along `cut`.
  private let pieces: Int
  /// The number of chunks.
  let count: Int

  /// - Precondition: not a scalar and not empty.
  init(shape: [Int], elementSize: Int) {
    precondition(!shape.isEmpty && shape.allSatisfy { $0 > 0 }, "ChunkLayout: \(shape)")
    var cut = 0
    var inner = shape.dropFirst().reduce(1, *)
    while inner * elementSize > ChunkLayout.maximalBytes {
      cut += 1
      inner /= shape[cut]
    }
    let most = min(shape[cut], max(1, ChunkLayout.maximalBytes / (inner * elementSize)))
    let pieces = (shape[cut] + most - 1) / most
    // Chunks of about equal size leave the least padding in the last one.
    let extent = (shape[cut] + pieces - 1) / pieces
    self.init(shape: shape, cut: cut, extent: extent)
  }

  /// The layout of the chunks of a file; nil where they are not contiguous runs.
  init?(shape: [Int], chunk: [Int]) {
    guard !shape.isEmpty, shape.count == chunk.count, shape.allSatisfy({ $0 > 0 }), chunk.allSatisfy({ $0 > 0 }) else {
      return nil
    }
    let cut = chunk.firstIndex { $0 > 1 } ?? chunk.count - 1
    for d in (cut + 1)..<max(cut + 1, shape.count) where chunk[d] != shape[d] { return nil }
    guard chunk[cut] <= shape[cut] else { return nil }
    self.init(shape: shape, cut: cut, extent: chunk[cut])
  }

  private init(shape: [Int], cut: Int, extent: Int) {
    self.shape = shape
    self.cut = cut
    inner = shape[(cut + 1)...].reduce(1, *)
    pieces = (shape[cut] + extent - 1) / extent
    chunk = shape.indices.map { $0 < cut ? 1 : $0 == cut ? extent : shape[$0] }
    count = shape[..<cut].reduce(pieces, *)
  }

  /// Elements of a whole chunk; the last along `cut` is padded with zeros.
  var chunkElements: Int { chunk[cut] * inner }

  /// The elements of chunk `i` that are inside the tensor.
  func elements(of i: Int) -> Range<Int> {
    let outer = i / pieces
    let first = i % pieces * chunk[cut]
    let last = min(first + chunk[cut], shape[cut])
    return (outer * shape[cut] + first) * inner..<(outer * shape[cut] + last) * inner
  }

  /// The extents of the part of chunk `i` that is inside the tensor.
  func extents(of i: Int) -> [Int] {
    var extents = chunk
    extents[cut] = min(chunk[cut], shape[cut] - i % pieces * chunk[cut])
    return extents
  }

  /// The coordinates of the first element of chunk `i`.
  func offset(of i: Int) -> [UInt64] {
    var offset = [UInt64](repeating: 0, count: shape.count)
    offset[cut] = UInt64(i % pieces * chunk[cut])
    var outer = i / pieces
    for d in stride(from: cut - 1, through: 0, by: -1) {
      offset[d] = UInt64(outer % shape[d])
      outer /= shape[d]
    }
    return offset
  }
}
