import Determinism

/// The arithmetic of a device, tried before anything is computed there: subnormal numbers, contraction, fused
/// multiply-add, division, square root, both precisions. A difference is an error, never a fallback.
enum DeviceProbe {
  /// - Throws: `DeviceError` that names the first operation with other bits.
  static func check(_ context: DeviceContext) throws {
    let device = Device(context, tuning: DeviceTuning())
    let n = inputs.count / 3
    let x = Tensor(inputs, shape: [3, n])
    let out = device.tensor([n, operations.count])
    device.each(n, DeviceProgram(name: "probe"), "probe", [.int(n), device.place(x), device.place(out)])
    let found = out.array
    for i in 0..<n {
      let expected = expected(inputs[i], inputs[n + i], inputs[2 * n + i])
      for (k, name) in operations.enumerated() {
        let (a, b) = (found[i * operations.count + k], expected[k])
        if a.bitPattern == b.bitPattern || a.isNaN && b.isNaN { continue }
        throw DeviceError(
          "device \(context.description.title) can't give the processor's bits: "
            + "\(name) of \(inputs[i]), \(inputs[n + i]) and \(inputs[2 * n + i]) is \(a), not \(b)")
      }
    }
  }

  /// In the order of the kernel.
  private static let operations = [
    "a + b", "a * b", "a * b + c", "fma(a, b, c)", "a / b", "relu(a)", "a * b + c in binary64",
    "a² * b² + c in binary64", "fma in binary64", "the square root of a * b in binary64",
  ]

  private static func expected(_ a: Float, _ b: Float, _ c: Float) -> [Float] {
    let wide = Double(a) * Double(b)
    let square = wide * wide
    return [
      a + b, a * b, a * b + c, c.addingProduct(a, b), a / b, a > 0 ? a : 0, Float(wide + Double(c)),
      Float(square + Double(c)), Float((-square).addingProduct(wide, wide)), Float(abs(wide).squareRoot()),
    ]
  }

  /// All a, then all b, then all c.
  private static let inputs: [Float] = {
    let special: [Float] = [
      0, -0.0, 1, -1, 3, 0.1, 1.0000001, 16_777_215, 3e38, -3e38, .infinity, 0x1p-149, -0x1p-140, 0x1.fffff8p-127,
      0x1p-126, 1e-30, -0x1.8p-127, 7e-23, 1 / 3, 0x1.000002p-74,
    ]
    var triples: [[Float]] = [[], [], []]
    for (i, a) in special.enumerated() {
      for (k, b) in special.enumerated() {
        triples[0].append(a)
        triples[1].append(b)
        // Also what leaves only the error of the product.
        triples[2].append((i + k) % 3 == 0 ? -(a * b) : special[(7 * i + 3 * k) % special.count])
      }
    }
    return triples.flatMap { $0 }
  }()
}
