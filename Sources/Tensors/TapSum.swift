import CKernels
import Determinism

/// A sum over input channels and taps, the common form of convolutions and of the gradients of their inputs:
///
///     out(m, oy, ox) = Σ over (channel, tap) of left[m, channel, tap] · in(channel, oy·stride + tapY, ox·stride + tapX)
///
/// with zeros outside the input. Strides of the output are free, so one phase of a strided gradient is a tap sum too.
struct TapSum {
  var channels: Int
  var inputHeight: Int
  var inputWidth: Int
  /// Floats between two images of the input.
  var inputImage: Int
  var stride: Int
  /// Rows and columns of the taps, in the order of the chain.
  var taps: [(y: Int, x: Int)]
  var outputChannels: Int
  var outputHeight: Int
  var outputWidth: Int
  /// Floats between neighbours of the output.
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

  /// A piece of the output: all rows of some images, or some rows of one.
  struct Piece {
    var image: Int
    var images: Int
    var row: Int
    var rows: Int
  }

  /// Cuts the output so that the padded input of a piece stays in the second-level cache. Depends on shapes alone.
  func pieces(images: Int) -> [Piece] {
    let plane = outputHeight * outputWidth
    guard images > 0, plane > 0 else { return [] }
    let cache = max(128, 131_072 / max(1, channels))
    let positions = max(64, min(cache, 4096, images * plane / 8))
    if plane > positions {
      let rows = max(1, positions / outputWidth)
      let bands = (outputHeight + rows - 1) / rows
      return (0..<images * bands).map { i in
        let row = i % bands * rows
        return Piece(image: i / bands, images: 1, row: row, rows: min(rows, outputHeight - row))
      }
    }
    let group = max(1, positions / plane)
    return Swift.stride(from: 0, to: images, by: group).map { image in
      Piece(image: image, images: min(group, images - image), row: 0, rows: outputHeight)
    }
  }

}

/// A left matrix in the order in which the micro-kernels read it, one block per group.
struct PackedLeft {
  private var storage: Tensor
  private let block: Int

  /// Element (i, j · offsets.count + t) of group g lies at
  /// `source[g * group + i * row + j * outer + offsets[t]]`.
  init(
    groups: Int = 1, rows: Int, columns: Int, offsets: [Int] = [0], source: UnsafePointer<Float>, group: Int = 0,
    row: Int, outer: Int
  ) {
    // Panels end on 64-byte borders.
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
