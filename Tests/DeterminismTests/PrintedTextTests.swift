import Determinism
import Testing

@Suite("Printing numbers and untrusted text")
struct PrintedTextTests {
  @Test("text(digits:) prints every number with any number of digits")
  func decimals() {
    let numbers = [
      0, -0.0, 1e300, -1e300, .nan, .infinity, -.infinity, 999_999_999_999.5, .leastNonzeroMagnitude,
      .greatestFiniteMagnitude,
    ]
    for number in numbers {
      for digits in [0, 1, 6, 7, 18, 19, 20, 400] { #expect(!number.text(digits: digits).isEmpty) }
    }
    #expect(0.125.text(digits: 2) == "0.13" && (-1.5).text(digits: 0) == "-2" && 1e300.text(digits: 2) == "1e+300")
    #expect(123_456_789_012.0.text(digits: 8) == "123456789012.0")
  }

  @Test("printable escapes control characters and keeps all others")
  func printable() {
    #expect("a\tb\né\u{301}".printable == "a\tb\né\u{301}")
    #expect("\u{1B}[31m\r\u{0}\u{7F}\u{9B}x".printable == "\\x1b[31m\\x0d\\x00\\x7f\\x9bx")
  }

  @Test("replacingScalars finds scalars before combining marks; clipped shortens with an ellipsis")
  func replacing() {
    #expect("a\\\u{301}".replacingScalars(["\\": "\\\\"]).hasSameBytes(as: "a\\\\\u{301}"))
    #expect("abc".clipped(to: 3) == "abc" && "abcd".clipped(to: 3) == "abc...")
  }
}
