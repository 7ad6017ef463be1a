import Determinism
import Testing

/// Known answers: FIPS 180-4 examples, also printed by Tests/Reference/determinism.py (hashlib).
@Suite("Digest")
struct DigestTests {
  @Test(
    "agrees with the published SHA-256 vectors",
    arguments: [
      ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
      ("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
      (
        "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
        "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
      ),
      (
        String(repeating: "a", count: 1_000_000),
        "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"
      ),
    ])
  func publishedVectors(_ text: String, _ expected: String) {
    #expect(Digest(of: text).hex == expected)
  }

  @Test("a builder gives the same digest for the same bytes in pieces of any size")
  func piecewise() {
    let bytes = (0..<10_000).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ 7) }
    let whole = Digest(of: bytes)
    for piece in [1, 63, 64, 65, 4096] {
      var builder = DigestBuilder()
      for start in stride(from: 0, to: bytes.count, by: piece) {
        builder.update(Array(bytes[start..<min(bytes.count, start + piece)]))
      }
      #expect(builder.finalize() == whole, "pieces of \(piece)")
    }
    #expect(bytes.withUnsafeBytes { Digest(of: $0) } == whole)
  }

  @Test("reads 64 hexadecimal digits of either case and nothing else")
  func hexadecimal() {
    let digest = Digest(of: "x")
    #expect(Digest(hex: digest.hex) == digest)
    #expect(Digest(hex: digest.hex.uppercased()) == digest)
    for bad in ["", "0", String(digest.hex.dropLast()), digest.hex + "0", String(digest.hex.dropLast()) + "g"] {
      #expect(Digest(hex: bad) == nil, "'\(bad)' passed")
    }
    #expect(digest.short == String(digest.hex.prefix(12)))
  }

  @Test("is ordered as its hexadecimal text")
  func order() {
    let digests = (0..<100).map { Digest(of: "\($0)") }
    #expect(digests.sorted().map(\.hex) == digests.map(\.hex).sorted())
  }

  @Test("is encoded as its hexadecimal text, and other text is refused")
  func codable() throws {
    let digest = Digest(of: "x")
    #expect(try CanonicalValue(encoding: digest) == .string(digest.hex))
    #expect(try CanonicalValue.string(digest.hex).decoded(as: Digest.self) == digest)
    #expect(throws: (any Error).self) { try CanonicalValue.string("abc").decoded(as: Digest.self) }
  }
}
