import TensorFiles
import Tensors
import Testing

/// References were made with torch (float64 on float32 inputs); see `Golden/ref_ops/README.md`. All cases are checked.
@Suite("Pooling and resampling agree with float64 references")
struct PoolResizeGoldenTests {
  @Test("maximum pooling")
  func maximum() throws {
    try Golden.forEachCase("pool_resize", "max_") { c in
      let x = try c.input("in_x")
      let window = PoolingWindow(
        kernelSize: Int(try c.number("kernel")), stride: Int(try c.number("stride")),
        padding: Int(try c.number("padding")), ceilMode: try c.number("ceil_mode", default: 0) != 0)
      let (y, indices) = Pooling.maximum(x, window)
      try c.expect(y, "out")
      let upstream = try c.input("upstream_grad")
      try c.expect(Pooling.maximumGradient(upstream: upstream, indices: indices, input: x.shape), "grad_x")
      if window == PoolingWindow(kernelSize: 1, stride: 2) {
        try c.expect(Pooling.subsample(x), "out")
        try c.expect(Pooling.subsampleGradient(upstream: upstream, input: x.shape), "grad_x")
      }
    }
  }

  @Test("global average pooling")
  func average() throws {
    try Golden.forEachCase("pool_resize", "global_avg") { c in
      let x = try c.input("in_x")
      let y = Pooling.globalAverage(x)
      let shape = Shape(try c.tensor("out").shape)
      try c.expect(y.reshaped(shape), "out")
      let upstream = try c.input("upstream_grad").reshaped(y.shape)
      try c.expect(Pooling.globalAverageGradient(upstream: upstream, input: x.shape), "grad_x")
    }
  }

  @Test("bilinear resampling")
  func bilinear() throws {
    try Golden.forEachCase("pool_resize", "bilinear_") { c in
      let x = try c.input("in_x")
      let upstream = try c.input("upstream_grad")
      let grid: ResamplingGrid
      if let factor = c.numbers("scale").first {
        grid = .halfPixel
        try c.expect(Resampling.bilinear(x, factor: factor, grid: grid), "out")
      } else {
        grid = try c.number("align_corners") != 0 ? .cornerAligned : .halfPixel
        let size = c.numbers("size")
        try c.expect(Resampling.bilinear(x, height: Int(size[0]), width: Int(size[1]), grid: grid), "out")
      }
      try c.expect(Resampling.bilinearGradient(upstream: upstream, input: x.shape, grid: grid), "grad_x")
    }
  }

  @Test("nearest-neighbour resampling")
  func nearest() throws {
    try Golden.forEachCase("pool_resize", "nearest_") { c in
      let x = try c.input("in_x")
      let size = c.numbers("size")
      try c.expect(Resampling.nearest(x, height: Int(size[0]), width: Int(size[1])), "out")
      try c.expect(Resampling.nearestGradient(upstream: try c.input("upstream_grad"), input: x.shape), "grad_x")
    }
  }
}
