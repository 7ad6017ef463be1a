import Testing

@testable import Tensors

// MARK: Inputs

/// Values that reach every branch of a kernel: zeros of both signs, subnormals, huge and ordinary values; no NaN.
func edgeValues(_ n: Int, salt: Int = 0) -> [Float] {
  let special: [Float] = [0, -0.0, 0x1p-140, -0x1.8p-139, 3e38, -3e38, 1, -1, 88.9, -104, 0.0624, -0.0626]
  return (0..<n).map { i in
    let h = (i &* 2_654_435_761 &+ salt &* 40_503 &+ 12_345) % 1_000_003
    if h % 13 == 0 { return special[h / 13 % special.count] }
    return (Float(h) / 500_001.5 - 1) * (h % 3 == 0 ? 20 : 2)
  }
}

/// Values in [-2, 2) without structure.
func ordinaryValues(_ n: Int, salt: Int = 0) -> [Float] {
  (0..<n).map { i in Float((i &* 7_919 &+ salt &* 104_729 &+ 17) % 65_537) / 16_384.25 - 2 }
}

// MARK: References

/// Numerics 5 as plain loops: 16 lanes per block of 2048, folded 8, 4, 2, 1; blocks in ascending order.
func referenceSum(_ x: [Double]) -> Double {
  var total = 0.0
  for start in stride(from: 0, to: x.count, by: 2048) {
    var lanes = [Double](repeating: 0, count: 16)
    for i in start..<min(start + 2048, x.count) { lanes[(i - start) % 16] += x[i] }
    for half in [8, 4, 2, 1] {
      for i in 0..<half { lanes[i] += lanes[i + half] }
    }
    total += lanes[0]
  }
  return total
}

// MARK: Finite differences

/// The derivative of `f` at element `i` of `x`: a central difference in binary64 of binary32 evaluations.
func numericDerivative(_ x: Tensor, at i: Int, step: Float, _ f: (Tensor) -> Double) -> Double {
  var (up, down) = (x.array, x.array)
  up[i] += step
  down[i] -= step
  let width = Double(up[i]) - Double(down[i])
  return (f(Tensor(up, shape: x.shape)) - f(Tensor(down, shape: x.shape))) / width
}

/// The inner product `Σ a b`, in binary64.
func inner(_ a: Tensor, _ b: Tensor) -> Double {
  zip(a.array, b.array).reduce(0) { $0 + Double($1.0) * Double($1.1) }
}

/// Expects every element of `gradient` to agree with a central difference of `f` at `x`.
func expectDerivative(
  _ gradient: Tensor, of f: (Tensor) -> Double, at x: Tensor, step: Float = 1e-2, tolerance: Double = 2e-3,
  sourceLocation: SourceLocation = #_sourceLocation
) {
  #expect(gradient.shape == x.shape, sourceLocation: sourceLocation)
  for i in 0..<x.count {
    let numeric = numericDerivative(x, at: i, step: step, f)
    let analytic = Double(gradient[flat: i])
    #expect(
      abs(numeric - analytic) <= tolerance * max(1, abs(numeric)), "element \(i): \(analytic), numeric \(numeric)",
      sourceLocation: sourceLocation)
  }
}
