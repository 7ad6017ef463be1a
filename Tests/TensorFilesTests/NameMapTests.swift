import Determinism
import Foundation
import Testing

@testable import TensorFiles

@Suite("NameMap")
struct NameMapTests {
  /// Matching by definition: tries every possibility.
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

  @Test("patterns match as defined")
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

  @Test("matching takes time in proportion to the lengths of pattern and name")
  func time() throws {
    let pattern = (0..<40).map { "{h\($0)}_" }.joined() + ".weight"
    let map = try NameMap("\(pattern) -> x\n** -> y", place: "test.map")
    let clock = ContinuousClock()
    let begin = clock.now
    let name = String(repeating: "_", count: 4000)
    // It matches the second rule alone, so the first rule has no tensor.
    #expect(throws: TensorFileError.self) { try map.names(of: [name]) }
    let names = try map.names(of: [name, String(repeating: "a_", count: 40) + ".weight"])
    #expect(names == ["y", "x"])
    let taken = clock.now - begin
    #expect(taken < .seconds(5))
  }

  @Test("CR LF and a byte order mark change nothing")
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

  @Test("names are compared by their bytes")
  func twins() throws {
    let map = try NameMap("\u{E9} -> one\ne\u{301} -> two", place: "m")
    #expect(try map.names(of: ["e\u{301}", "\u{E9}"]) == ["two", "one"])
  }

  @Test("a tensor is renamed by the first rule that matches, or left out by '-'")
  func renaming() throws {
    let map = try NameMap(
      """
      # A comment.
      layer{stage}.{block}.conv1.weight -> body/stage{stage}/{block}/reduce/weight
      layer1.0.conv{n}.{tensor} -> first/{n}/{tensor}   # behind a rule
      **.tracked -> -
      """, place: "test.map")
    let names = try map.names(of: [
      "layer1.0.conv1.weight", "layer1.0.conv2.bias", "a.b.tracked", "layer12.3.conv1.weight",
    ])
    #expect(names == ["body/stage1/0/reduce/weight", "first/2/bias", nil, "body/stage12/3/reduce/weight"])
  }

  @Test(
    "a map that does not match is an error with its line",
    arguments: [
      ("a -> b", ["a", "c.d"], "test.map: error: no rule matches 'c.d'; add one, with '-' as TO to skip a tensor"),
      ("a -> b\nc -> d", ["a"], "test.map:2: error: no tensor matches 'c'; is this the right map?"),
      ("{x} -> b", ["a", "c"], "test.map:1: error: 'a' and 'c' both become 'b'"),
      ("a = b", ["a"], "test.map:1: error: a rule is 'FROM -> TO', with '-' as TO to skip a tensor"),
      ("a.{x} -> {y}", ["a.b"], "test.map:1: error: {y} is not in 'a.{x}'"),
      ("a.{x -> b", ["a.b"], "test.map:1: error: 'a.{x': '{' without a name and '}'"),
      ("# nothing", ["a"], "test.map: error: contains no rule 'FROM -> TO'"),
    ])
  func mistakes(_ text: String, _ tensors: [String], _ message: String) throws {
    let error = #expect(throws: TensorFileError.self) {
      try NameMap(text, place: "test.map").names(of: tensors)
    }
    #expect(error?.description == message)
  }
}
