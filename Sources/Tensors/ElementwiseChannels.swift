import CKernels

// N images, C channels. `x` is [N, C, ...]; factors and terms are [C], one per channel, or [N, C], one per plane.

extension Elementwise {
  /// `factor * x` plane by plane; with a mask of 0 and 1 / (1 - p) this is channel dropout.
  public static func scaleChannels(_ x: Tensor, by factors: Tensor) -> Tensor {
    if let device = Device.current, device.takes(x) {
      checkChannels("scaleChannels", x.shape, factors.shape)
      return device.scaleChannels(x, by: factors)
    }
    let kernel = Backend.maps.scale
    return perPlane("scaleChannels", x, factors) { n, factor, x, out in kernel(n, factor, x, out) }
  }

  /// The gradient of the factors of `scaleChannels`: the sum of `upstream * x` over each plane, and over images (in
  /// ascending order) where the factors are `[C]`. The gradient of `x` is `scaleChannels(upstream, by: factors)`.
  public static func scaleChannelsGradient(_ x: Tensor, upstream: Tensor, factors: Shape) -> Tensor {
    precondition(x.shape == upstream.shape, "scaleChannelsGradient: \(x.shape) and \(upstream.shape)")
    checkChannels("scaleChannelsGradient", x.shape, factors)
    if let device = Device.current, device.takes(x, upstream) {
      return device.foldPlanes(.products(x, upstream), x.shape, into: factors)
    }
    let a = x.pointer
    let b = upstream.pointer
    let size = x.shape.planeSize
    let kernel = Backend.maps.dot
    return Reduction.foldPlanes(x.shape, into: factors) { plane in kernel(size, a + plane * size, b + plane * size) }
  }

  static func checkChannels(_ name: String, _ x: Shape, _ factors: Shape) {
    let matches =
      x.rank >= 2
      && (factors.rank == 1 ? factors[0] == x[1] : factors.rank == 2 && factors[0] == x[0] && factors[1] == x[1])
    precondition(matches, "\(name): \(x) with factors \(factors)")
  }

  private static func perPlane(
    _ name: String, _ x: Tensor, _ factors: Tensor,
    _ kernel: (Int, Float, UnsafePointer<Float>, UnsafeMutablePointer<Float>) -> Void
  ) -> Tensor {
    checkChannels(name, x.shape, factors.shape)
    var out = Tensor(uninitialized: x.shape)
    let source = x.pointer
    let target = out.mutablePointer
    let factor = factors.pointer
    let size = x.shape.planeSize
    let count = factors.count
    Loops.planes(x.shape[0] * x.shape[1], size: size) { plane in
      kernel(size, factor[plane % count], source + plane * size, target + plane * size)
    }
    return out
  }
}
