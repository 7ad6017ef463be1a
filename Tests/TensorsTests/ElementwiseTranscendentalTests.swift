import Foundation
import Testing

@testable import Tensors

/// The distance from `a` to `b` in units in the last place.
private func ulps(_ a: Float, _ b: Float) -> Int {
  if a.isNaN && b.isNaN { return 0 }
  func ordered(_ x: Float) -> Int {
    let bits = Int(x.bitPattern)
    return bits & 0x8000_0000 != 0 ? -(bits & 0x7fff_ffff) : bits
  }
  return abs(ordered(a) - ordered(b))
}

@Suite("exp, log, sigmoid and tanh against Foundation's binary64 functions")
struct ElementwiseTranscendentalTests {
  typealias Function = (
    name: String, kernel: @Sendable (Tensor) -> Tensor, reference: @Sendable (Double) -> Double
  )

  static let functions: [Function] = [
    ("exp", Elementwise.exp, { Foundation.exp($0) }),
    ("log", Elementwise.log, { Foundation.log($0) }),
    ("sigmoid", Elementwise.sigmoid, { 1 / (1 + Foundation.exp(-$0)) }),
    ("tanh", Elementwise.tanh, { Foundation.tanh($0) }),
  ]

  @Test(
    "the error is at most 1 ulp for every sign and exponent and 1021 significands of each", arguments: functions.indices
  )
  func everyExponent(_ which: Int) {
    let f = ElementwiseTranscendentalTests.functions[which]
    var worst = (ulps: 0, x: Float(0))
    for top in 0..<512 {
      // 8209 and the offset are odd, so that low and high bits of the significand vary.
      let values = (0..<1021).map { Float(bitPattern: UInt32(top) << 23 | UInt32($0 * 8209 + top) & 0x7f_ffff) }
      let finite = values.filter { !$0.isNaN }
      let result = f.kernel(Tensor(finite, shape: [finite.count])).array
      for (x, y) in zip(finite, result) {
        let distance = ulps(y, Float(f.reference(Double(x))))
        if distance > worst.ulps { worst = (distance, x) }
      }
    }
    #expect(worst.ulps <= 1, "\(f.name)(\(worst.x)) is \(worst.ulps) ulp off")
  }

  @Test("zeros, infinities and NaN give the limits of the functions")
  func limits() {
    func one(_ f: (Tensor) -> Tensor, _ x: Float) -> Float { f(Tensor([x], shape: [1]))[flat: 0] }
    #expect(one(Elementwise.exp, .infinity) == .infinity)
    #expect(one(Elementwise.exp, -.infinity) == 0)
    #expect(one(Elementwise.exp, 88.73) == .infinity)
    #expect(one(Elementwise.exp, -103) > 0)
    #expect(one(Elementwise.exp, 0) == 1)
    #expect(one(Elementwise.exp, .nan).isNaN)
    #expect(one(Elementwise.log, 0) == -.infinity)
    #expect(one(Elementwise.log, -0.0) == -.infinity)
    #expect(one(Elementwise.log, -1).isNaN)
    #expect(one(Elementwise.log, .infinity) == .infinity)
    #expect(one(Elementwise.log, .nan).isNaN)
    #expect(one(Elementwise.log, 1) == 0)
    #expect(one(Elementwise.sigmoid, .infinity) == 1)
    #expect(one(Elementwise.sigmoid, -.infinity) == 0)
    #expect(one(Elementwise.sigmoid, 0) == 0.5)
    #expect(one(Elementwise.tanh, .infinity) == 1)
    #expect(one(Elementwise.tanh, -.infinity) == -1)
    #expect(one(Elementwise.tanh, -0.0).sign == .minus)
    #expect(one(Elementwise.tanh, .nan).isNaN)
  }
}
