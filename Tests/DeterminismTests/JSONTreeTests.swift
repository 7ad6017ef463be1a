import Determinism
import Foundation
import Testing

@Suite("JSONTree")
struct JSONTreeTests {
  @Test(
    "malformed JSON is refused",
    arguments: [
      "", "[1,]", "[1 true]", "{\"a\":1,}", "{a:1}", "[01]", "[1.]", "[.5]", "[+1]", "[1e]", "[NaN]", "[-Infinity]",
      "[1e400]", "[\"\\x\"]", "[\"\\ud800\"]", "[\"\u{1}\"]", "[\"a]", "nul", "[1]x", "[-]", "[\"\\u12\"]",
      String(repeating: "[", count: 100_000),
    ])
  func mistakes(_ text: String) {
    #expect(throws: JSONError.self) { try JSONTree.parse(Array(text.utf8)) }
  }

  @Test("invalid UTF-8 is refused")
  func encoding() {
    #expect(throws: JSONError.self) { try JSONTree.parse([0x22, 0xff, 0x22]) }
  }

  @Test("values and escapes are read")
  func values() throws {
    let text = #" {"a": [1, -2.5e1, "\u00e4\ud834\udd1e\n\"", null, true], "a": {} , "b": -0} "#
    guard case .object(let members) = try JSONTree.parse(Array(text.utf8)),
      case .array(let elements) = members[0].value, case .integer(1) = elements[0], case .number(-25) = elements[1],
      case .string("ä𝄞\n\"") = elements[2], case .null = elements[3], case .bool(true) = elements[4]
    else {
      Issue.record("wrong tree")
      return
    }
    #expect(members.map(\.name) == ["a", "a", "b"])
  }

  /// The JSON test suite, which is not part of the repository: in the folder that `AUTOPANOPTIC_DATA` names, or in
  /// `shared/data` beside the checkout.
  private static let suite: String = {
    if let data = ProcessInfo.processInfo.environment["AUTOPANOPTIC_DATA"] { return data + "/bad/json" }
    let checkout = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent()
    return checkout.deletingLastPathComponent().appendingPathComponent("shared/data/bad/json").path
  }()

  @Test(
    "the cases of the JSON test suite are accepted and refused as required",
    .enabled(
      if: FileManager.default.fileExists(atPath: suite + "/expected_outcome.json"),
      "the JSON test suite is missing; set AUTOPANOPTIC_DATA"))
  func jsonTestSuite() throws {
    struct Outcome: Decodable { var required: String }
    let outcomes = try JSONDecoder().decode(
      [String: Outcome].self, from: Data(FileIO.read(Self.suite + "/expected_outcome.json")))
    for (name, outcome) in outcomes.sorted(by: { $0.key < $1.key }) where outcome.required != "either" {
      let text = try FileIO.read("\(Self.suite)/\(name)")
      let isAccepted = (try? JSONTree.parse(text)) != nil
      #expect(isAccepted == (outcome.required == "accept"), "\(name)")
    }
  }
}
