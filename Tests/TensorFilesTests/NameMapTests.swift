import Determinism
import Foundation
import Testing

@testable import TensorFiles

@Suite("Maps of names")
struct NameMapTests {
  /// The rules as their definition says, trying everything.
  private static func fits(_ pattern: ArraySlice<UInt8>, _ name: ArraySlice<UInt8>) -> [[UInt8]]? {
    guard let first = pattern.first else { return name.isEmpty ? [] : nil }
    switch first {
    case UInt8(ascii: "*"):
      for start in name.startIndex...name.endIndex {
        if let holes = fits(pattern.dropFirst(2), name[start...]) { return holes }
      }
      return nil
    case UInt8(ascii: "{"):
      let rest = pattern.drop { $0 != UInt8(ascii: "}") }.dropFirst()
      var end = name.startIndex
      while end < name.endIndex, name[end] != UInt8(ascii: ".") {
        end += 1
        if let holes = fits(rest, name[end...]) { return [Array(name[..<end])] + holes }
      }
      return nil
    default: return name.first == first ? fits(pattern.dropFirst(), name.dropFirst()) : nil
    }
  }

  @Test("fit as their definition says")
  func definition() throws {
    var random = Seeds(kind: "name-map", seed: 1).stream("patterns")
    func letters(_ most: Int) -> String {
      String(
        (0..<Int(random.uniform() * Double(most))).map { _ in
          random.uniform() < 0.5 ? "a" : random.uniform() < 0.5 ? "." : "é"
        })
    }
    var fitting = 0
    for _ in 0..<5000 {
      var text = random.uniform() < 0.3 ? "**" : ""
      for hole in 0..<Int(random.uniform() * 4) {
        let separator = letters(3)
        text += (hole > 0 && separator.isEmpty ? "." : separator) + "{h\(hole)}"
      }
      text += letters(3)
      if text.isEmpty { continue }
      let pattern = try NamePattern(from: Array(text.utf8)[...], at: "test")
      for _ in 0..<5 {
        let name = Array(letters(9).utf8)
        let expected = Self.fits(Array(text.utf8)[...], name[...])
        #expect(pattern.match(name) == expected, "\(text) on \(String(decoding: name, as: UTF8.self))")
        if expected != nil { fitting += 1 }
      }
    }
    #expect(fitting > 100)
  }

  @Test("take as long as pattern and name are long, not longer")
  func time() throws {
    let pattern = (0..<40).map { "{h\($0)}_" }.joined() + ".weight"
    let map = try NameMap("\(pattern) -> x\n** -> y", place: "test.map")
    let clock = ContinuousClock()
    let begin = clock.now
    let name = String(repeating: "_", count: 4000)
    // It fits the second rule alone, so the first has no tensor.
    #expect(throws: TensorFileError.self) { try map.names(of: [name]) }
    let names = try map.names(of: [name, String(repeating: "a_", count: 40) + ".weight"])
    #expect(names == ["y", "x"])
    let taken = clock.now - begin
    #expect(taken < .seconds(5))
  }

  @Test("are the same with CR LF and a byte order mark")
  func windows() throws {
    let lines = ["# comment", "a.{x} -> b/{x}", "", "  c -> -  "]
    let expected = try NameMap(lines.joined(separator: "\n"), place: "m").names(of: ["a.1", "c"])
    for end in ["\n", "\r\n"] {
      for mark in [[], TextLines.byteOrderMark] {
        let bytes = mark + Array(lines.joined(separator: end).utf8) + Array(end.utf8)
        #expect(try NameMap(bytes, place: "m").names(of: ["a.1", "c"]) == expected)
      }
    }
    let error = #expect(throws: TensorFileError.self) {
      try NameMap(Array("a -> b\r\nx".utf8) + [0xFF] + Array(" -> y".utf8), place: "m")
    }
    #expect(error?.description == "m:2: error: the line is not UTF-8")
  }

  @Test("tell names apart by their bytes")
  func twins() throws {
    let map = try NameMap("\u{E9} -> one\ne\u{301} -> two", place: "m")
    #expect(try map.names(of: ["e\u{301}", "\u{E9}"]) == ["two", "one"])
  }
}
