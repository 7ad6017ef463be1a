import Determinism
import Foundation
import PipelineFiles
import Testing

@testable import PipelineModel

@Suite("Names under 'let' end, whatever they stand for")
struct NamedValueTests {
  private func error(_ names: String, _ value: String = "$a") -> PipelineError? {
    let text = """
      pipeline: p
      let: \(names)
      stages:
        s: { uses: train, with: { mode: \(value) } }
      """
    do {
      _ = try PipelineFile(text: text, path: "p.yaml").description()
      return nil
    } catch {
      return error as? PipelineError
    }
  }

  @Test(
    "a name that needs itself is a cycle, through members too",
    arguments: [
      "{ a: $a }", "{ a: $a.x }", "{ a: $b.x, b: $a.x }", "{ a: { $: $b }, b: { $: $a } }",
    ])
  func cycles(names: String) {
    let found = error(names)
    #expect(found?.code == .cycle && found?.message.contains("refer to each other") == true, "\(String(describing: found))")
  }

  @Test("names that multiply are refused at once, through members too")
  func multiplying() {
    var plain = "{ n0: [1, 1]"
    var members = "{ r0: { x: 1, y: 2 }"
    for i in 1...25 {
      plain += ", n\(i): [$n\(i - 1), $n\(i - 1)]"
      members += ", a\(i): { x: $r\(i - 1).x, y: $r\(i - 1).x }, r\(i): $a\(i)"
    }
    #expect(error(plain + " }", "$n25")?.message.contains("more than 100000 values") == true)
    #expect(error(members + " }", "$r25.x")?.isUserData == true)
  }

  @Test(
    "a setting is the text that was given, also where it makes characters by escapes",
    arguments: [
      (#""\uE000""#, "\u{E000}"), (##""#\uE000""##, "#\u{E000}"), (##""\uE000#\uE001""##, "\u{E000}#\u{E001}"),
      ("a #b", "a #b"), (##"'#'"##, "#"),
    ])
  func settings(given: String, text: String) throws {
    guard case .parameter(_, let value) = try Setting(parsing: "s.mode=\(given)") else {
      Issue.record("not a parameter")
      return
    }
    #expect(value["mode"]?.stringValue?.hasSameBytes(as: text) == true)
  }
}
