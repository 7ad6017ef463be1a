import Determinism
import Foundation
import Testing

/// The reference is glibc through Foundation, which is within 1 ulp of the exact value. Bounds are a few ulp wider.
@Suite("PortableMath")
struct PortableMathTests {
  private func expectClose(
    _ value: Double, _ truth: Double, ulps: Double, floor: Double = 0, _ what: @autoclosure () -> String
  ) {
    let unit = max(truth.ulp, floor)
    #expect(abs(value - truth) <= ulps * unit, "\(what()): \(value), expected \(truth)")
  }

  /// Random values of a range, and its two ends.
  private func spread(_ low: Double, _ high: Double, _ path: String) -> [Double] {
    var random = Seeds(kind: "test", seed: 3).stream(path)
    return [low, high] + (0..<20_000).map { _ in random.uniform(low, high) }
  }

  @Test("exp agrees with glibc from underflow to overflow")
  func exponential() {
    for x in spread(-744, 709.7, "exp") + spread(-1, 1, "exp/small") {
      expectClose(PortableMath.exp(x), Foundation.exp(x), ulps: 4, "exp \(x)")
    }
    #expect(PortableMath.exp(0) == 1)
    #expect(PortableMath.exp(710) == .infinity && PortableMath.exp(.infinity) == .infinity)
    #expect(PortableMath.exp(-746) == 0 && PortableMath.exp(-.infinity) == 0)
    #expect(PortableMath.exp(.nan).isNaN)
  }

  @Test("log agrees with glibc from the least subnormal to the largest number")
  func logarithm() {
    for e in spread(-744, 709.7, "log") {
      let x = Foundation.exp(e)
      expectClose(PortableMath.log(x), Foundation.log(x), ulps: 4, "log \(x)")
    }
    for x in spread(0.5, 2, "log/near-one") {
      expectClose(PortableMath.log(x), Foundation.log(x), ulps: 4, "log \(x)")
    }
    #expect(PortableMath.log(1) == 0)
    #expect(PortableMath.log(0) == -.infinity && PortableMath.log(.infinity) == .infinity)
    #expect(PortableMath.log(-1).isNaN && PortableMath.log(.nan).isNaN)
  }

  @Test("log2 is exact for powers of two and agrees with glibc elsewhere")
  func binaryLogarithm() {
    for k in -1074...1023 {
      #expect(PortableMath.log2(Double(sign: .plus, exponent: k, significand: 1)) == Double(k))
    }
    for x in spread(1e-3, 1e6, "log2") {
      expectClose(PortableMath.log2(x), Foundation.log2(x), ulps: 4, floor: 0x1p-53, "log2 \(x)")
    }
  }

  @Test("pow agrees with glibc within the error that its exponent magnifies")
  func power() {
    for (x, y) in zip(spread(0.01, 100, "pow/base"), spread(-10, 10, "pow/exponent")) {
      let bound = 4 + 2 * abs(y * Foundation.log(x))
      expectClose(PortableMath.pow(x, y), Foundation.pow(x, y), ulps: bound, "\(x)^\(y)")
    }
    #expect(PortableMath.pow(3, 0) == 1)
  }

  @Test("sin and cos agree with glibc for angles up to 5000")
  func circular() {
    for x in spread(-7, 7, "circle") + spread(-5000, 5000, "circle/far") {
      expectClose(PortableMath.sin(x), Foundation.sin(x), ulps: 4, floor: 0x1p-60, "sin \(x)")
      expectClose(PortableMath.cos(x), Foundation.cos(x), ulps: 4, floor: 0x1p-60, "cos \(x)")
    }
    #expect(PortableMath.sin(0) == 0 && PortableMath.cos(0) == 1)
  }

  /// The digest is printed by Tests/Reference/determinism.py, which does the same operations in Python.
  @Test("has the bits of an independent implementation, on every machine")
  func golden() {
    var bits = DigestBuilder()
    for i in 0..<1000 {
      let x = Double(i) * 0.37 + 0.001
      let values = [
        PortableMath.exp(x / 4), PortableMath.log(x), PortableMath.log2(x), PortableMath.pow(x, 0.9),
        PortableMath.sin(x), PortableMath.cos(x),
      ]
      for v in values { bits.update(withUnsafeBytes(of: v.bitPattern.littleEndian) { Array($0) }) }
    }
    #expect(bits.finalize().hex == "2f700fcf7602ae6164d6be7727e15309c48bf10f0ce9d80af1374891a76400a3")
  }
}
