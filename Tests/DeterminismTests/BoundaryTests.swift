import Determinism
import Foundation
import Testing

@Suite("Numbers, names, lines and files from elsewhere")
struct BoundaryTests {
  @Test("saturating and checked arithmetic agree with wide arithmetic at every edge")
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
    "no binary floating point number traps on its way to an integer",
    arguments: [
      (1e300, Int.max), (-1e300, .min), (.nan, 0), (.infinity, .max), (-.infinity, .min), (2.9, 2), (-2.9, -2),
      (9.3e18, .max),
    ] as [(Double, Int)])
  func conversion(value: Double, expected: Int) {
    #expect(Int(saturating: value) == expected)
    #expect(UInt8(saturating: value) == UInt8(clamping: expected))
  }

  @Test("names that Unicode calls equal stay two names")
  func twins() {
    let (composed, decomposed) = ("se\u{F1}or", "sen\u{303}or")
    #expect(composed == decomposed)
    #expect(ByteName(composed) != ByteName(decomposed))
    #expect(Set([ByteName(composed), ByteName(decomposed)]).count == 2)
    #expect(["a", composed, decomposed].canonicalTwins() != nil && ["a", "b", "a"].canonicalTwins() == nil)
    #expect("a/\u{303}b".splitBytes(at: UInt8(ascii: "/")) == ["a", "\u{303}b"])
    #expect("/\u{303}".startsWithBytes(of: "/") && !"/\u{303}".hasPrefix("/"))
    #expect(composed.escapedBytes == "se\\xc3\\xb1or")
  }

  @Test(
    "lines are the same whatever ends them", arguments: ["a\nb\n\nc", "a\r\nb\r\n\r\nc\r\n", "\u{FEFF}a\nb\r\n\nc\n"])
  func lines(text: String) {
    #expect(TextLines.split(text) == ["a", "b", "", "c"])
  }

  @Test("a published file replaces a file, and nothing else")
  func publishing() throws {
    let folder = FileManager.default.temporaryDirectory.path + "/boundary-\(UInt64.random(in: 0 ... .max))"
    try FileIO.makeFolder(folder + "/inner")
    defer { try? FileManager.default.removeItem(atPath: folder) }
    try FileIO.publish([1, 2], to: folder + "/a")
    try FileIO.publish([3], to: folder + "/a")
    #expect(try FileIO.read(folder + "/a") == [3])
    #expect(throws: FileFailure.self) { try FileIO.publish([1], to: folder + "/inner") }
    #expect(throws: FileFailure.self) { try FileIO.publish([1], to: "/dev/null") }
    #expect(throws: FileFailure.self) { try FileIO.read("/dev/zero") }
    #expect(throws: FileFailure.self) { try FileIO.read(folder + "/a", limit: 0) }
    #expect(throws: FileFailure.self) { try FileIO.makeFolder(folder + "/a/b") }
    #expect(try FileIO.list(folder) == ["a", "inner"])
    try FileIO.write([], to: folder + "/inner/x")
    let tree = try FolderTree(folder)
    #expect(tree.paths == ["a", "inner/x"] && tree.folders(in: "") == ["inner"] && tree.paths(below: "inner") == ["x"])
  }
}
