import Determinism
import Testing

@Suite("ByteName and comparison by bytes")
struct ByteNameTests {
  @Test("canonically equivalent names stay two names")
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

  @Test("names are sorted by their UTF-8 bytes")
  func order() {
    #expect(["b", "\u{E9}", "a", "B", "aa"].sortedByBytes() == ["B", "a", "aa", "b", "\u{E9}"])
    #expect("Z".precedesInBytes("a") && !"a".precedesInBytes("a"))
    #expect(["b", "a"].map { ByteName($0) }.min() == "a")
  }
}

@Suite("Paths taken apart by bytes")
struct PathTextTests {
  @Test("a path has a folder and a last component")
  func components() {
    #expect("a/b/c.txt".lastPathComponent == "c.txt" && "a/b/c.txt".folderPath == "a/b")
    #expect("c.txt".lastPathComponent == "c.txt" && "c.txt".folderPath == "")
    // To String a slash with a combining mark is not a slash.
    #expect("a/\u{301}b".lastPathComponent == "\u{301}b" && "a/\u{301}b".folderPath == "a")
  }

  @Test(
    "an ending is what follows the last dot of the name",
    arguments: [
      ("a/b.tar.gz", "a/b.tar"), ("a.b/c", "a.b/c"), (".hidden", ".hidden"), ("a/.hidden", "a/.hidden"), ("", ""),
    ])
  func endings(path: String, expected: String) {
    #expect(path.withoutEnding == expected)
  }

  @Test("endings are compared without regard to ASCII case")
  func endingCase() {
    #expect("a.JPG".hasEnding(".jpg") && "a.jpg".hasEnding(".jpg") && !"a.jpeg".hasEnding(".jpg"))
    #expect(!"jpg".hasEnding(".jpg"))
  }
}

@Suite("TextLines")
struct TextLinesTests {
  @Test(
    "splits lines at LF and CR LF, after a byte order mark or none",
    arguments: ["a\nb\n\nc", "a\r\nb\r\n\r\nc\r\n", "\u{FEFF}a\nb\r\n\nc\n"])
  func lines(text: String) {
    #expect(TextLines.split(text) == ["a", "b", "", "c"])
  }

  @Test("removes one byte order mark in front and no other")
  func byteOrderMark() {
    let mark = TextLines.byteOrderMark
    #expect(Array(TextLines.withoutByteOrderMark(mark + mark + [1])) == mark + [1])
    #expect(Array(TextLines.withoutByteOrderMark([1] + mark)) == [1] + mark)
  }
}
