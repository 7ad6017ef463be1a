import Determinism
import Foundation
import Testing

@Suite("CanonicalValue on random values and mutated JSON")
struct JSONFuzzTests {
  /// Random values of each test: `AUTOPANOPTIC_FUZZ`, or ten thousand.
  static let count = ProcessInfo.processInfo.environment["AUTOPANOPTIC_FUZZ"].flatMap(Int.init) ?? 10_000

  /// Draws values with texts, numbers and nesting of every kind.
  struct Source {
    var random: RandomStream

    init(seed: UInt64) { random = Seeds(kind: "json-fuzz", seed: seed).stream("values") }

    mutating func text() -> String {
      var text = ""
      for _ in 0..<random.below(6) {
        let scalars: [Unicode.Scalar] = [
          "a", "\"", "\\", "\n", "\u{0}", "\u{1F}", "\u{7F}", "\u{E9}", "e", "\u{301}", "\u{FEFF}", "\u{2028}",
          "\u{1F600}",
          "\u{D7FF}", "\u{E000}", "\u{10FFFF}", "\u{212A}",
        ]
        text.unicodeScalars.append(scalars[random.below(scalars.count)])
      }
      return text
    }

    mutating func value(depth: Int = 0) -> CanonicalValue {
      switch random.below(depth < 4 ? 8 : 6) {
      case 0: return .null
      case 1: return .bool(random.below(2) == 0)
      case 2:
        return .integer([Int.min, Int.min + 1, -1, 0, 1, 1 << 53, (1 << 53) + 1, .max - 1, .max][random.below(9)])
      case 3: return .integer(Int(bitPattern: UInt(random.next())))
      case 4:
        let number = Double(bitPattern: random.next())
        return .number(number.isFinite ? number : 0x1p63)
      case 5: return .string(text())
      case 6: return .array((0..<random.below(4)).map { _ in value(depth: depth + 1) })
      default:
        var members = [String: CanonicalValue]()
        for _ in 0..<random.below(4) { members[text()] = value(depth: depth + 1) }
        return .object(members)
      }
    }
  }

  @Test("every value round-trips through its canonical bytes and its pretty text")
  func roundTrip() throws {
    var source = Source(seed: 1)
    for _ in 0..<Self.count {
      let value = source.value()
      let bytes = value.canonicalBytes
      let back = try CanonicalValue(json: bytes)
      #expect(back.canonicalBytes == bytes, "\(value.canonicalText)")
      #expect(try CanonicalValue(json: bytes) == back && back.hashValue == (try CanonicalValue(json: bytes)).hashValue)
      #expect(try CanonicalValue(json: Array(back.prettyText.utf8)) == back)
      #expect(try CanonicalValue(json: TextLines.byteOrderMark + bytes) == back)
    }
  }

  @Test("two values are equal exactly if their canonical bytes are")
  func equality() throws {
    var source = Source(seed: 2)
    for _ in 0..<Self.count {
      // Both are read back, so that whole numbers are integers.
      let a = try CanonicalValue(json: source.value(depth: 3).canonicalBytes)
      let b = try CanonicalValue(json: source.value(depth: 3).canonicalBytes)
      #expect((a == b) == (a.canonicalBytes == b.canonicalBytes), "\(a.canonicalText) and \(b.canonicalText)")
    }
    let (composed, decomposed) = (CanonicalValue.string("\u{E9}"), CanonicalValue.string("e\u{301}"))
    #expect(composed != decomposed && CanonicalValue.object(["\u{E9}": 1]) != .object(["e\u{301}": 1]))
    #expect(CanonicalValue.object(["\u{E9}": 1])["e\u{301}"] == nil && Set([composed, decomposed]).count == 2)
  }

  @Test("mutated JSON is refused or read as a value that round-trips")
  func mutants() {
    var source = Source(seed: 3)
    let pieces: [[UInt8]] = [
      Array("99999999999999999999".utf8), Array("1e400".utf8), Array("1e-400".utf8), Array("-0".utf8),
      Array("\\ud800".utf8),
      Array("\\udc00\\u0000".utf8), Array("[[[[[[[[".utf8), Array("\"a\":1,".utf8), [0xEF, 0xBB, 0xBF], [0xC0, 0x80],
      [0],
    ]
    for _ in 0..<Self.count {
      var bytes = source.value().canonicalBytes
      for _ in 0...source.random.below(3) {
        let i = source.random.below(bytes.count + 1)
        switch source.random.below(4) {
        case 0 where i < bytes.count: bytes[i] = UInt8(truncatingIfNeeded: source.random.next())
        case 1: bytes.removeSubrange(i..<min(bytes.count, i + source.random.below(4)))
        case 2: bytes.insert(contentsOf: pieces[source.random.below(pieces.count)], at: i)
        default: bytes.insert(contentsOf: bytes.prefix(source.random.below(9)), at: i)
        }
      }
      guard let value = try? CanonicalValue(json: bytes) else { continue }
      let canonical = value.canonicalBytes
      #expect((try? CanonicalValue(json: canonical))?.canonicalBytes == canonical, "\(bytes)")
    }
  }

  @Test(
    "content that cannot be kept is refused with its position",
    arguments: [
      (
        "[9223372036854775808]",
        "1:2: the whole number 9223372036854775808 does not fit in 64 bits; write it as a string, in quotes"
      ),
      ("\u{FEFF}[\n -9223372036854775809]", "2:2: the whole number -9223372036854775809 does not fit in 64 bits"),
      ("[1e400]", "1:2: the number 1e400 is out of range"), ("[1e-400]", "1:2: the number 1e-400 is out of range"),
      ("{\"caf\u{E9}\": 1, \"cafe\u{301}\": 2}", "members 'caf\\xc3\\xa9' and 'cafe\\xcc\\x81'"),
      ("{\"a\": 1, \"a\": 2}", "an object has the member 'a' twice"), ("[\"\\ud800\"]", "half of a surrogate pair"),
      ("[\"\\udc00\"]", "half of a surrogate pair"), ("[\u{FEFF}]", "expected a value"),
    ])
  func refused(text: String, message: String) {
    let error = #expect(throws: JSONError.self) { try CanonicalValue(json: Array(text.utf8)) }
    #expect(error?.description.contains(message) == true, "\(error?.description ?? "")")
  }

  @Test("the largest whole numbers stay integers, and text may hold NUL", arguments: [Int.min, .max])
  func kept(number: Int) throws {
    #expect(try CanonicalValue(json: Array("[\(number), 0e-400, \"\\u0000\"]".utf8)) == [.integer(number), 0, "\u{0}"])
  }
}
