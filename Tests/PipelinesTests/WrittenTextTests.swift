import Determinism
import Foundation
import PipelineFiles
import Testing

@testable import CommandStages
@testable import PipelineModel

@Suite("Text in a pipeline file is passed on as written, or refused")
struct WrittenTextTests {
  private func parameters(_ with: String, settings: [String] = []) throws -> CanonicalValue {
    let text = "pipeline: p\nstages:\n  a: { uses: command, with: \(with) }\n"
    let description = try PipelineFile(text: text, path: "p.yaml")
      .description(settings: settings.map { try Setting(parsing: $0) })
    return try Pipeline(description, registry: TestStages.registry()).stages[0].prepared.parameters
  }

  private func command(_ scalar: String) throws -> Command? {
    let with = "{ run: [printf, \(scalar)], environment: { T: \(scalar) }, outputs: { o: o.txt } }"
    let text = "pipeline: p\nstages:\n  a: { uses: command, with: \(with) }\n"
    let description = try PipelineFile(text: text, path: "p.yaml").description()
    return try Pipeline(description, registry: TestStages.registry()).stages[0].prepared.tools as? Command
  }

  @Test(
    "a plain scalar of any form reaches the command's arguments and environment as written",
    arguments: [
      "3.10", "007", "4e5", "1.50", "0.1", "-0", "-0.0", "+1", "1.", ".5", "00", "1e400", "1e-400", "0e0", "1E5",
      "9223372036854775807", "9223372036854775808", "-9223372036854775809", "12345678901234567890", "0x1F", "0o17",
      "1_000",
      "12:30", "True", "FALSE", "true", "yes", "NaN", ".nan", ".inf", "1.0e+3", "3.0000000000000000001", "1e", "+",
    ])
  func words(text: String) throws {
    let command = try #require(try command(text))
    #expect(command.words[1].hasSameBytes(as: text) && command.environment["T"]?.hasSameBytes(as: text) == true)
  }

  @Test("random numbers are passed on digit by digit")
  func random() throws {
    var random = Seeds(kind: "written-text", seed: 1).stream("numbers")
    let letters = Array("0123456789.eE+-".utf8)
    for _ in 0..<2000 {
      let text = String(
        decoding: (0..<1 + random.below(24)).map { _ in letters[random.below(letters.count)] }, as: UTF8.self)
      guard let command = try? command(text) else { continue }
      #expect(command.words[1].hasSameBytes(as: text), "\(text)")
    }
  }

  @Test("a number that round-trips is a number in the key")
  func keys() throws {
    let value = try parameters("{ run: [printf, 0.1, 12, true, 3.10], outputs: { o: o.txt } }")
    #expect(value["run"] == ["printf", 0.1, 12, true, "3.10"])
  }

  @Test("an explicit tag is obeyed or refused")
  func tags() throws {
    for (text, word) in [
      ("!!str 3.10", "3.10"), ("! 007", "007"), ("!!str true", "true"), ("!!int 7", "7"), ("!!float 1e3", "1e3"),
    ] {
      #expect(try command(text)?.words[1] == word)
    }
    for text in [
      "!!int x", "!!int 1.5", "!!bool 1", "!!binary aGk=", "!mine x", "!!int '7'", "!!timestamp 2001-01-01",
      "!!set {a: }",
    ] {
      let error = #expect(throws: PipelineError.self) { try command(text) }
      #expect(
        error?.message.contains("the tag") == true && error?.location?.line == 3, "\(text): \(error.debugDescription)")
    }
  }

  @Test(
    "a text member refuses an unquoted number and says to quote it",
    arguments: ["stdout: 3.10", "stdin: 007", "version: [x, 3.10]", "tools: [1e5]", "places: { x: True }"])
  func quotes(parameter: String) {
    let error = #expect(throws: PipelineError.self) {
      try parameters("{ run: [printf], outputs: { o: o.txt }, \(parameter) }")
    }
    let written = parameter.split { ": [,]{}".contains($0) }.last { !$0.isEmpty }
    #expect(error?.message.contains("found \(written ?? ""); put it in quotes") == true, "\(error.debugDescription)")
  }

  @Test(
    "--set takes the text up to its end",
    arguments: [
      ("a #b", "a #b"), ("#b", "#b"), ("a#b", "a#b"), (" a ", " a "), ("a\nb", "a\nb"), ("3.10", "3.10"),
      ("'3.10'", "3.10"),
      ("\"a #b\"", "a #b"), ("'a #b'", "a #b"), ("x=y=#", "x=y=#"), ("=\u{301}", "=\u{301}"), ("#\u{301}", "#\u{301}"),
      ("--- a", "--- a"), ("007 ", "007 "),
    ])
  func settings(given: String, expected: String) throws {
    let value = try parameters("{ run: [printf], outputs: { o: o.txt } }", settings: ["a.environment.T=\(given)"])
    #expect(value["environment"]?["T"]?.stringValue?.hasSameBytes(as: expected) == true, "\(value.canonicalText)")
    let inside = try parameters(
      "{ run: [printf], outputs: { o: o.txt } }", settings: ["a.environment={T: 'a #b', U: c #d}"])
    #expect(inside["environment"] == ["T": "a #b", "U": "c #d"])
  }

  @Test(
    "--set refuses text that YAML would drop",
    arguments: ["&x a", "*x", "!!int a", "'a' #b", "{a: b} #c", "a\u{2028}b"])
  func refusedSettings(given: String) {
    #expect(throws: PipelineError.self) {
      try parameters("{ run: [printf], outputs: { o: o.txt } }", settings: ["a.environment.T=\(given)"])
    }
  }

  @Test("a byte order mark and CR or CR LF line ends change nothing")
  func lineEnds() throws {
    let text = "pipeline: p\n# [[[[\nstages:\n  a: { uses: command, with: { run: [printf], outputs: { o: o.txt } } }\n"
    func description(_ text: String) throws -> PipelineDescription {
      try PipelineFile(text: text, path: "p.yaml").description()
    }
    for other in ["\u{FEFF}" + text, text.replacing("\n", with: "\r\n"), text.replacing("\n", with: "\r")] {
      let found = try description(other)
      #expect(found.stages[0].with.plain == (try description(text)).stages[0].with.plain)
      #expect(found.stages[0].nameLocation.line == 4)
    }
    // A CR alone ends a comment.
    let bomb = "# x\r" + String(repeating: "[", count: 200)
    let refusal = #expect(throws: PipelineError.self) { try description(bomb) }
    #expect(refusal?.description == "p.yaml:2: error: nested too deeply")
    for scalar in ["\u{85}", "\u{2028}", "\u{2029}"] {
      let error = #expect(throws: PipelineError.self) { try description("pipeline: p\nlet: { x: \"a\(scalar)b\" }\n") }
      #expect(error?.location?.line == 2 && error?.message.contains("in double quotes") == true)
    }
  }

  @Test("two canonically equivalent names stay two names")
  func twins() throws {
    let (one, other) = ("caf\u{E9}", "cafe\u{301}")
    for members in ["\(one): 1, \(other): 2", "1: a, '1': b"] {
      #expect(throws: PipelineError.self) {
        try parameters("{ run: [printf], outputs: { o: o.txt }, environment: { \(members) } }")
      }
    }
    let error = #expect(throws: PipelineError.self) {
      try parameters(
        "{ run: [printf], outputs: { o: o.txt }, environment: { \(one): 1 } }", settings: ["a.environment.\(other)=2"])
    }
    #expect(error?.message.contains("cafe\\xcc\\x81") == true, "\(error.debugDescription)")
  }

  @Test("addresses, references and patterns are compared byte by byte")
  func names() throws {
    #expect(StageAddress("a[3,4]").indices == [3, 4] && StageAddress("a[3,\u{301}4]").indices.isEmpty)
    #expect(StageAddress("a[99999999999999999999]").indices.isEmpty && StageAddress("a[3]\u{301}").indices.isEmpty)
    #expect(Glob("a/*.txt").matches("a/\u{301}b.txt") && !Glob("a/*").matches("a/b/\u{301}c"))
    #expect(Glob("?").matches("\u{E9}") && !Glob("\u{E9}").matches("e\u{301}") && Glob("??").matches("e\u{301}"))
    #expect(RelativePath.problem("/\u{301}x") != nil && RelativePath.problem("a/..") != nil)
    #expect(RelativePath.contains("a", "a/\u{301}b") && !RelativePath.contains("\u{E9}", "e\u{301}"))
    #expect(
      !EntryName.isValid("\u{212A}") && !EntryName.isValid("") && !EntryName.isValid("1a") && EntryName.isValid("A-1_b")
    )
    #expect(Suggestion.text(for: String(repeating: "a", count: 1 << 20), among: ["b"]) == "; known: b")
  }

  @Test("a path that is not a regular file is an error and is not read")
  func files() throws {
    let folder = FileManager.default.temporaryDirectory.path + "/written-\(UInt64.random(in: 0 ... .max))"
    try FileIO.makeFolder(folder)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    #expect(mkfifo(folder + "/pipe", 0o644) == 0)
    for (path, reason) in [
      (folder, "not a file"), (folder + "/pipe", "not a file"), ("/dev/zero", "not a file"),
      (folder + "/none", "cannot read the file: No such file or directory"),
    ] {
      let error = #expect(throws: PipelineError.self) { try PipelineFile(path: path) }
      #expect(error?.message == reason)
    }
    try FileIO.write([0xFF, 0xFE, 0x70, 0], to: folder + "/utf16.yaml")
    #expect(throws: PipelineError.self) { try PipelineFile(path: folder + "/utf16.yaml") }
  }
}
