import CKernels

/// The memory layout of a tensor around the dimension that softmax normalises over.
struct ChannelLayout {
  let channels: Int
  let channelStride: Int
  /// Runs of positions: element (run r, channel c, position p) is at
  /// `r * runStride + c * channelStride + p * positionStride`.
  let runs: Int
  let runStride: Int
  let positions: Int
  let positionStride: Int

  init(_ shape: Shape, dimension: Int) {
    let d = dimension < 0 ? dimension + shape.rank : dimension
    precondition(d >= 0 && d < shape.rank && shape[d] > 0, "softmax: dimension \(dimension) of \(shape)")
    channels = shape[d]
    var inner = 1
    for i in d + 1..<max(d + 1, shape.rank) { inner *= shape[i] }
    var outer = 1
    for i in 0..<d { outer *= shape[i] }
    channelStride = inner
    if inner == 1 {
      // Rows: one run, positions a row apart.
      (runs, runStride, positions, positionStride) = (1, 0, outer, channels)
    } else {
      (runs, runStride, positions, positionStride) = (outer, channels * inner, inner, 1)
    }
  }

  /// Calls `body(element, position, count)` for pieces of whole positions; `position` counts over all runs.
  func forEachPiece(_ body: (Int, Int, Int) -> Void) {
    // Pieces of 512 positions, 16 tiles of the kernel.
    let piece = 512
    let perRun = (positions + piece - 1) / piece
    Loops.planes(runs * perRun, size: min(piece, positions) * channels, cost: 8) { i in
      let start = i % perRun * piece
      body(
        i / perRun * runStride + start * positionStride, i / perRun * positions + start, min(piece, positions - start))
    }
  }
}

/// Softmax over one dimension: the terms `e^(x - max)` are added in one ascending binary64 chain; results are rounded
/// once.
public enum Softmax {
  /// `e^x / Σ e^x`.
  public static func forward(_ x: Tensor, dimension: Int = 1) -> Tensor { map(x, dimension, logarithm: false) }

  /// `x - log Σ e^x`.
  public static func logarithm(_ x: Tensor, dimension: Int = 1) -> Tensor { map(x, dimension, logarithm: true) }

  /// `y * (dy - Σ dy y)`, from the output of `forward`.
  public static func gradient(output: Tensor, upstream: Tensor, dimension: Int = 1) -> Tensor {
    backward(output, upstream, dimension, logarithm: false)
  }

  /// `dy - e^y Σ dy`, from the output of `logarithm`.
  public static func logarithmGradient(output: Tensor, upstream: Tensor, dimension: Int = 1) -> Tensor {
    backward(output, upstream, dimension, logarithm: true)
  }

  private static func map(_ x: Tensor, _ dimension: Int, logarithm: Bool) -> Tensor {
    let layout = ChannelLayout(x.shape, dimension: dimension)
    if let device = Device.current, device.takes(x) { return device.softmax(x, layout, logarithm: logarithm) }
    var out = Tensor(uninitialized: x.shape)
    let source = x.pointer
    let target = out.mutablePointer
    let kernel = Backend.maps.softmax
    layout.forEachPiece { at, _, count in
      kernel(
        layout.channels, layout.channelStride, count, layout.positionStride, logarithm ? 1 : 0, source + at,
        target + at)
    }
    return out
  }

  private static func backward(_ y: Tensor, _ upstream: Tensor, _ dimension: Int, logarithm: Bool) -> Tensor {
    precondition(y.shape == upstream.shape, "softmax gradient: \(y.shape) and \(upstream.shape)")
    let layout = ChannelLayout(y.shape, dimension: dimension)
    if let device = Device.current, device.takes(y, upstream) {
      return device.softmaxGradient(y, upstream, layout, logarithm: logarithm)
    }
    var dx = Tensor(uninitialized: y.shape)
    let output = y.pointer
    let dy = upstream.pointer
    let target = dx.mutablePointer
    let kernel = Backend.maps.softmax_gradient
    layout.forEachPiece { at, _, count in
      kernel(
        layout.channels, layout.channelStride, count, layout.positionStride, logarithm ? 1 : 0, output + at, dy + at,
        target + at)
    }
    return dx
  }
}
