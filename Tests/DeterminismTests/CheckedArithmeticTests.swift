import Determinism
import Testing

@Suite("Checked and saturating arithmetic")
struct CheckedArithmeticTests {
  @Test("agrees with 128-bit arithmetic at every edge")
  func arithmetic() {
    let edges: [Int] = [.min, .min + 1, -3, -1, 0, 1, 2, 3, .max - 1, .max]
    for a in edges {
      for b in edges {
        let (sum, product) = (Int128(a) + Int128(b), Int128(a) * Int128(b))
        #expect(a.addingChecked(b) == Int(exactly: sum))
        #expect(a.multipliedChecked(by: b) == Int(exactly: product))
        #expect(a.subtractingChecked(b) == Int(exactly: Int128(a) - Int128(b)))
        #expect(a.addingSaturated(b) == Int(clamping: sum))
        #expect(a.multipliedSaturated(by: b) == Int(clamping: product))
      }
    }
    #expect([Int.max, -1, 1].sumChecked() == .max)
    #expect([Int.max, 1].sumSaturated() == .max && [Int.max, 2].productChecked() == nil)
    #expect([UInt64.max, 2].productSaturated() == .max && UInt64(3).subtractingChecked(4) == nil)
  }

  @Test(
    "converts every binary64 number to an integer: truncated, clamped, NaN to 0",
    arguments: [
      (1e300, Int.max), (-1e300, .min), (.nan, 0), (.infinity, .max), (-.infinity, .min), (2.9, 2), (-2.9, -2),
      (9.3e18, .max),
    ] as [(Double, Int)])
  func conversion(value: Double, expected: Int) {
    #expect(Int(saturating: value) == expected)
    #expect(UInt8(saturating: value) == UInt8(clamping: expected))
  }
}
