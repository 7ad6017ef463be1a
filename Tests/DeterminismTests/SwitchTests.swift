import Determinism
import Testing

@Suite("Switch")
struct SwitchTests {
  private enum Rounding: String, Switch {
    case half, up
    static let recommended = Rounding.half
  }

  private struct Options: Codable, Equatable {
    var size = 3
    var rounding = Rounding.half
  }

  @Test("the recommended case is left out of encodings, so that a new switch changes no key")
  func encoding() throws {
    #expect(try CanonicalValue(encoding: Options()).canonicalText == #"{"size":3}"#)
    #expect(try CanonicalValue(encoding: Options(rounding: .up)).canonicalText == #"{"rounding":"up","size":3}"#)
  }

  @Test("a missing member is the recommended case, and an unknown case is refused")
  func decoding() throws {
    #expect(try CanonicalValue.object(["size": 3]).decoded(as: Options.self) == Options())
    #expect(try CanonicalValue.object(["size": 3, "rounding": "up"]).decoded(as: Options.self).rounding == .up)
    #expect(throws: (any Error).self) {
      try CanonicalValue.object(["size": 3, "rounding": "down"]).decoded(as: Options.self)
    }
  }
}
