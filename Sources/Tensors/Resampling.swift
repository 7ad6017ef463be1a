import CKernels

// `x` is [N, C, H, W]; the result [N, C, height, width].

/// Resizing of feature maps. The forward pass interpolates along rows, then along columns; gradients are gathers over
/// destination rows and columns in ascending order, from +0 (numerics 6).
public enum Resampling {
  /// Bilinear interpolation to `height × width`.
  public static func bilinear(_ x: Tensor, height: Int, width: Int, grid: ResamplingGrid) -> Tensor {
    precondition(x.shape.rank == 4, "bilinear: \(x.shape) is not [N, C, H, W]")
    let (h, w) = (x.shape[2], x.shape[3])
    let rows = BilinearAxis(from: h, to: height, grid)
    let columns = BilinearAxis(from: w, to: width, grid)
    if let device = Device.current, device.takes(x) {
      return device.bilinear(x, rows, columns, [x.shape[0], x.shape[1], height, width])
    }
    var out = Tensor(uninitialized: [x.shape[0], x.shape[1], height, width])
    let source = x.pointer
    let target = out.mutablePointer
    let kernel = Backend.maps.bilinear
    Loops.planes(x.shape[0] * x.shape[1], size: height * width) { plane in
      kernel(
        w, height, width, rows.first, rows.second, rows.low, rows.high, columns.first, columns.second, columns.low,
        columns.high, source + plane * h * w, target + plane * height * width)
    }
    return out
  }

  /// Bilinear interpolation by a scale factor. The output size is rounded down; coordinates follow from the two sizes.
  public static func bilinear(_ x: Tensor, factor: Double, grid: ResamplingGrid) -> Tensor {
    bilinear(x, height: Int(Double(x.shape[2]) * factor), width: Int(Double(x.shape[3]) * factor), grid: grid)
  }

  /// The gradient of the input of `bilinear`, of shape `input`.
  public static func bilinearGradient(upstream: Tensor, input: Shape, grid: ResamplingGrid) -> Tensor {
    precondition(
      input.rank == 4 && upstream.shape.rank == 4 && upstream.shape[0] == input[0] && upstream.shape[1] == input[1],
      "bilinearGradient: \(upstream.shape) for \(input)")
    let (h, w, height, width) = (input[2], input[3], upstream.shape[2], upstream.shape[3])
    let axes = (BilinearAxis(from: h, to: height, grid), BilinearAxis(from: w, to: width, grid))
    if let device = Device.current, device.takes(upstream) {
      return device.bilinearGradient(upstream, axes.0, axes.1, input)
    }
    let (rows, columns) = (axes.0.gathered(), axes.1.gathered())
    var dx = Tensor(uninitialized: input)
    let dy = upstream.pointer
    let target = dx.mutablePointer
    let kernel = Backend.maps.bilinear_gradient
    Loops.planes(input[0] * input[1], size: max(h * w, height * width)) { plane in
      kernel(
        h, w, width, rows.start, rows.destination, rows.weight, columns.start, columns.destination, columns.weight,
        dy + plane * height * width, target + plane * h * w)
    }
    return dx
  }

  /// Nearest neighbour: destination pixel i takes source pixel `floor(i in / out)` along each axis.
  public static func nearest(_ x: Tensor, height: Int, width: Int) -> Tensor {
    precondition(x.shape.rank == 4, "nearest: \(x.shape) is not [N, C, H, W]")
    let (h, w) = (x.shape[2], x.shape[3])
    if let device = Device.current, device.takes(x) {
      let shape: Shape = [x.shape[0], x.shape[1], height, width]
      return device.resample("nearest", x, input: x.shape, output: shape, result: shape)
    }
    let rows = NearestAxis.table(from: h, to: height)
    let columns = NearestAxis.table(from: w, to: width)
    var out = Tensor(uninitialized: [x.shape[0], x.shape[1], height, width])
    let source = x.pointer
    let target = out.mutablePointer
    Loops.planes(x.shape[0] * x.shape[1], size: height * width) { plane in
      for y in 0..<height {
        let row = source + (plane * h + rows[y]) * w
        let to = target + (plane * height + y) * width
        for i in 0..<width { to[i] = row[columns[i]] }
      }
    }
    return out
  }

  /// The gradient of `nearest`: every source pixel sums its destination pixels in row-major order, from +0.
  public static func nearestGradient(upstream: Tensor, input: Shape) -> Tensor {
    precondition(
      input.rank == 4 && upstream.shape.rank == 4 && upstream.shape[0] == input[0] && upstream.shape[1] == input[1],
      "nearestGradient: \(upstream.shape) for \(input)")
    if let device = Device.current, device.takes(upstream) {
      return device.resample("nearest_gradient", upstream, input: input, output: upstream.shape, result: input)
    }
    let (h, w, height, width) = (input[2], input[3], upstream.shape[2], upstream.shape[3])
    let rows = NearestAxis.table(from: h, to: height)
    let columns = NearestAxis.table(from: w, to: width)
    var dx = Tensor(zeros: input)
    let dy = upstream.pointer
    let target = dx.mutablePointer
    Loops.planes(input[0] * input[1], size: max(h * w, height * width)) { plane in
      // A pass over destination pixels in row-major order adds to each source pixel in that same order.
      for y in 0..<height {
        let row = target + (plane * h + rows[y]) * w
        let from = dy + (plane * height + y) * width
        for i in 0..<width { row[columns[i]] += from[i] }
      }
    }
    return dx
  }
}
