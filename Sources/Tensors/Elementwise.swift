import CKernels

/// Elementwise operations; numerics 7: the scalar C expression is the definition.
///
/// Gradients take what the forward pass saved (mostly its output) and the gradient of the output, `upstream`.
public enum Elementwise {
  // MARK: Arithmetic

  /// `a + b`, of equal shapes.
  public static func add(_ a: Tensor, _ b: Tensor) -> Tensor { binary("add", a, b, Backend.maps.add, device: "add") }

  /// `a - b`, of equal shapes.
  public static func subtract(_ a: Tensor, _ b: Tensor) -> Tensor {
    binary("subtract", a, b, Backend.maps.subtract, device: "subtract")
  }

  /// `a * b`, of equal shapes.
  public static func multiply(_ a: Tensor, _ b: Tensor) -> Tensor {
    binary("multiply", a, b, Backend.maps.multiply, device: "multiply")
  }

  /// `factor * x`.
  public static func scale(_ x: Tensor, by factor: Float) -> Tensor {
    if let device = Device.current, device.takes(x) { return device.map("scale", factor, x) }
    let kernel = Backend.maps.scale
    return map(x) { n, x, out in kernel(n, factor, x, out) }
  }

  /// `factor * x`, in place.
  public static func scale(_ x: inout Tensor, by factor: Float) {
    if let device = Device.current, device.takes(x) { return device.scale(&x, by: factor) }
    let target = x.mutablePointer
    let kernel = Backend.maps.scale
    Loops.elements(x.count) { start, n in kernel(n, factor, target + start, target + start) }
  }

  /// `x + term`.
  public static func add(_ x: Tensor, scalar term: Float) -> Tensor {
    if let device = Device.current, device.takes(x) { return device.map("add_scalar", term, x) }
    let kernel = Backend.maps.add_scalar
    return map(x) { n, x, out in kernel(n, term, x, out) }
  }

  /// `y += x`, in place.
  public static func accumulate(_ x: Tensor, into y: inout Tensor) {
    precondition(x.shape == y.shape, "accumulate: \(x.shape) into \(y.shape)")
    if let device = Device.current, device.takes(x, y) { return device.accumulate(x, into: &y) }
    let source = x.pointer
    let target = y.mutablePointer
    let kernel = Backend.maps.accumulate
    Loops.elements(x.count) { start, n in kernel(n, source + start, target + start) }
  }

  /// `y += factor * x`, in place; the product is rounded before the sum.
  public static func accumulate(_ x: Tensor, times factor: Float, into y: inout Tensor) {
    precondition(x.shape == y.shape, "accumulate: \(x.shape) into \(y.shape)")
    if let device = Device.current, device.takes(x, y) { return device.accumulate(x, times: factor, into: &y) }
    let source = x.pointer
    let target = y.mutablePointer
    let kernel = Backend.maps.accumulate_scaled
    Loops.elements(x.count) { start, n in kernel(n, factor, source + start, target + start) }
  }

  // MARK: Functions

  /// `x > 0 ? x : +0`.
  public static func relu(_ x: Tensor) -> Tensor { map(x, Backend.maps.relu, device: "relu") }

  /// The gradient of the input of `relu`, from its output: `upstream` where the output is positive, else +0.
  public static func reluGradient(output: Tensor, upstream: Tensor) -> Tensor {
    binary("reluGradient", output, upstream, Backend.maps.relu_gradient, device: "relu_gradient")
  }

  /// `1 / (1 + e^-x)`.
  public static func sigmoid(_ x: Tensor) -> Tensor { map(x, Backend.maps.sigmoid, device: "sigmoid") }

  /// The gradient of the input of `sigmoid`, from its output: `dy * (y * (1 - y))`.
  public static func sigmoidGradient(output: Tensor, upstream: Tensor) -> Tensor {
    binary("sigmoidGradient", output, upstream, Backend.maps.sigmoid_gradient, device: "sigmoid_gradient")
  }

  /// The hyperbolic tangent.
  public static func tanh(_ x: Tensor) -> Tensor { map(x, Backend.maps.tanh, device: "hyperbolic_tangent") }

  /// The gradient of the input of `tanh`, from its output: `dy * (1 - y * y)`.
  public static func tanhGradient(output: Tensor, upstream: Tensor) -> Tensor {
    binary("tanhGradient", output, upstream, Backend.maps.tanh_gradient, device: "tanh_gradient")
  }

  /// `e^x`; its gradient is `multiply(output, upstream)`.
  public static func exp(_ x: Tensor) -> Tensor { map(x, Backend.maps.exp, device: "exponential") }

  /// The natural logarithm: -infinity at zero, NaN below.
  public static func log(_ x: Tensor) -> Tensor { map(x, Backend.maps.log, device: "logarithm") }

  // MARK: Checks

  /// The row-major index of the first NaN or infinity; nil where all elements are finite (numerics 13).
  public static func firstNonFinite(_ x: Tensor) -> Int? {
    if let device = Device.current, device.takes(x) { return device.firstNonFinite(x) }
    let source = x.pointer
    let kernel = Backend.maps.first_nonfinite
    let pieces = (x.count + Loops.piece - 1) / Loops.piece
    var found = [Int](repeating: -1, count: pieces)
    found.withUnsafeMutableBufferPointer { found in
      let base = found.baseAddress
      Loops.planes(pieces, size: Loops.piece) { piece in
        let start = piece * Loops.piece
        let hit = kernel(min(Loops.piece, x.count - start), source + start)
        base![piece] = hit < 0 ? -1 : start + hit
      }
    }
    return found.first { $0 >= 0 }
  }

  /// The index of the first tensor with a NaN or an infinity; nil where all elements of all are finite. A device is
  /// waited for once.
  public static func firstNonFinite(in tensors: [Tensor?]) -> Int? {
    guard let device = Device.current else {
      return tensors.firstIndex { $0.map { firstNonFinite($0) != nil } ?? false }
    }
    return device.firstNonFinite(in: tensors)
  }

  // MARK: Loops

  private static func map(
    _ x: Tensor, _ kernel: (Int, UnsafePointer<Float>, UnsafeMutablePointer<Float>) -> Void, device name: String? = nil
  ) -> Tensor {
    if let name, let device = Device.current, device.takes(x) { return device.map(name, x) }
    var out = Tensor(uninitialized: x.shape)
    let source = x.pointer
    let target = out.mutablePointer
    Loops.elements(x.count) { start, n in kernel(n, source + start, target + start) }
    return out
  }

  private static func binary(
    _ name: String, _ a: Tensor, _ b: Tensor,
    _ kernel: (Int, UnsafePointer<Float>, UnsafePointer<Float>, UnsafeMutablePointer<Float>) -> Void,
    device kernelName: String
  ) -> Tensor {
    precondition(a.shape == b.shape, "\(name): \(a.shape) and \(b.shape)")
    if let device = Device.current, device.takes(a, b) { return device.pair(kernelName, a, b) }
    var out = Tensor(uninitialized: a.shape)
    let left = a.pointer
    let right = b.pointer
    let target = out.mutablePointer
    Loops.elements(a.count) { start, n in kernel(n, left + start, right + start, target + start) }
    return out
  }
}
