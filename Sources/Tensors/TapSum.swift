import CKernels
import Determinism

/// A sum over input channels and taps, the common form of convolutions and of the gradients of their inputs:
///
///     out(m, oy, ox) = Σ over (channel, tap) of left[m, channel, tap] · in(channel, oy·stride + tapY, ox·stride + tapX)
///
/// with zeros outside the input. The output's strides are arbitrary, so one phase of a strided gradient is a tap sum too.
struct TapSum {
  var channels: Int
  var inputHeight: Int
  var inputWidth: Int
  /// Floats from one image of the input to the next.
  var inputImage: Int
  var stride: Int
  /// Row and column offsets of the taps, in the order of the chain.
  var taps: [(y: Int, x: Int)]
  var outputChannels: Int
  var outputHeight: Int
  var outputWidth: Int
  /// Strides of the output in floats.
  var outputImage: Int
  var outputChannel: Int
  var outputRow: Int
  var outputColumn: Int

  func withC<R>(_ body: (UnsafePointer<ck_tap_sum>) -> R) -> R {
    let ys = taps.map { Int64($0.y) }
    let xs = taps.map { Int64($0.x) }
    return ys.withUnsafeBufferPointer { ys in
      xs.withUnsafeBufferPointer { xs in
        var c = ck_tap_sum(
          channels: Int64(channels), in_h: Int64(inputHeight), in_w: Int64(inputWidth), in_image: Int64(inputImage),
          stride: Int64(stride), taps: Int64(taps.count), tap_y: ys.baseAddress, tap_x: xs.baseAddress,
          out_channels: Int64(outputChannels), out_h: Int64(outputHeight), out_w: Int64(outputWidth),
          out_image: Int64(outputImage), out_channel: Int64(outputChannel), out_row: Int64(outputRow),
          out_col: Int64(outputColumn))
        return body(&c)
      }
    }
  }

  /// A piece of the output: a range of channels at a range of positions, flattened as (image, y, x).
  struct Piece {
    var channels: Range<Int>
    var positions: Range<Int>
  }

  /// Whether every output position reads its own input position and no other.
  private var isPointwise: Bool {
    taps.count == 1 && stride == 1 && taps[0] == (0, 0) && inputHeight == outputHeight && inputWidth == outputWidth
  }

  /// Splits the output into pieces that threads share evenly and whose input stays in the second-level cache. Depends on
  /// shapes alone.
  func pieces(images: Int) -> [Piece] {
    let bounds = isPointwise ? lineBounds(images: images) : rowBounds(images: images)
    let columns = bounds.count - 1
    guard columns > 0 else { return [] }
    // Channels are split where positions alone give too few pieces, and where the left factor exceeds the cache.
    let wanted = columns >= 8 ? 1 : min((8 + columns - 1) / columns, max(1, outputChannels / 240))
    let bands = max(wanted, (outputChannels + 527) / 528)
    let band = ((outputChannels + bands - 1) / bands).roundedUp(toMultipleOf: 24)
    return Swift.stride(from: 0, to: outputChannels, by: band).flatMap { channel in
      zip(bounds, bounds.dropFirst()).map { first, end in
        Piece(channels: channel..<min(outputChannels, channel + band), positions: first..<end)
      }
    }
  }

  /// The boundaries of the pieces of pointwise sums: at whole vectors, so that the rows of a piece stay aligned.
  private func lineBounds(images: Int) -> [Int] {
    let total = images * outputHeight * outputWidth
    guard total > 0 else { return [] }
    let count = total < 8 * 192 ? max(1, total / 192) : (total + min(1024, total / 8) - 1) / min(1024, total / 8)
    let block = ((total + count - 1) / count).roundedUp(toMultipleOf: total < 8 * 192 ? 16 : 32)
    return Array(Swift.stride(from: 0, to: total, by: block)) + [total]
  }

  /// The boundaries of the pieces of sums over taps: at whole rows, whose neighbours are copied with them, or at whole
  /// images.
  private func rowBounds(images: Int) -> [Int] {
    let plane = outputHeight * outputWidth
    guard images > 0, plane > 0 else { return [] }
    let cache = max(128, 131_072 / max(1, channels))
    let positions = max(64, min(cache, 4096, images * plane / 8))
    guard plane > positions else {
      let group = max(1, positions / plane)
      return Swift.stride(from: 0, to: images, by: group).map { $0 * plane } + [images * plane]
    }
    let most = max(1, positions / outputWidth)
    let bands = (outputHeight + most - 1) / most
    let rows = (outputHeight + bands - 1) / bands
    return (0..<images).flatMap { image in
      Swift.stride(from: 0, to: outputHeight, by: rows).map { image * plane + $0 * outputWidth }
    } + [images * plane]
  }
}

extension Int {
  func roundedUp(toMultipleOf step: Int) -> Int { (self + step - 1) / step * step }
}

/// A left factor packed in the order in which the micro-kernels read it, one block per group.
struct PackedLeft {
  private var storage: Tensor
  private let block: Int

  /// Element (i, j · offsets.count + t) of group g is at
  /// `source[g * group + i * row + j * outer + offsets[t]]`.
  init(
    groups: Int = 1, rows: Int, columns: Int, offsets: [Int] = [0], source: UnsafePointer<Float>, group: Int = 0,
    row: Int, outer: Int
  ) {
    // Panels end on 64-byte boundaries.
    block = (Int(ck_packed_count(Backend.isa, Int64(rows), Int64(columns))) + 15) / 16 * 16
    storage = Tensor(uninitialized: [groups * block])
    let packed = storage.mutablePointer
    let size = block
    let bands = (rows + 95) / 96
    let offsets = offsets.map(Int64.init)
    let work = rows * columns < 8192 ? 1 : bands
    Parallel.forEach(groups * work) { i in
      let first = work == 1 ? 0 : i % work * 96
      let last = work == 1 ? rows : min(rows, first + 96)
      ck_pack_left(
        Backend.isa, Int64(rows), Int64(columns), Int64(offsets.count), offsets, source + i / work * group,
        Int64(row), Int64(outer), Int64(first), Int64(last), packed + i / work * size)
    }
  }

  func pointer(group: Int) -> UnsafePointer<Float> { storage.pointer + group * block }
}
