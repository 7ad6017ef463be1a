import Determinism
import Foundation
import PipelineFiles
import PipelineModel
import Testing

@Suite("Fidelities, shared mappings and expected roots in pipeline files")
struct FidelityTests {
  private static let root = String(repeating: "ab", count: 32)
  private static let text = """
    pipeline: test
    seed: 3
    profile: small
    fidelity: plain
    let:
      base: { width: 4, inner: { a: 1, b: 2 } }
    stages:
      one: { uses: example, with: { net: { $: $base, width: 9, inner: { b: 7 } }, note: here } }
    profiles:
      small: { let: { base: { width: 5 } }, one: { note: profile } }
    fidelities:
      plain: {}
      odd: { let: { base: { inner: { a: 8 } } }, one: { note: odd } }
    expect:
      small: { 3: \(root) }
    """

  private func parameters(_ fidelity: String? = nil, settings: [Setting] = []) throws -> CanonicalValue {
    let file = try PipelineFile(text: FidelityTests.text, path: "test.yaml")
    return try file.description(fidelity: fidelity, settings: settings).stages[0].with.plain
  }

  @Test("a mapping may start as a copy of another one and change some members")
  func basis() throws {
    #expect(
      try parameters() == ["net": ["width": 9, "inner": ["a": 1, "b": 7]], "note": "profile"] as CanonicalValue)
  }

  @Test("a fidelity overrides the profile, and --set overrides both")
  func order() throws {
    #expect(
      try parameters("odd") == ["net": ["width": 9, "inner": ["a": 8, "b": 7]], "note": "odd"] as CanonicalValue)
    #expect(try parameters("odd", settings: [Setting(parsing: "one.note=set")])["note"] == .string("set"))
    let error = #expect(throws: PipelineError.self) { try parameters("ood") }
    #expect(error?.description.contains("has no fidelity 'ood'; did you mean 'odd'?") == true)
  }

  @Test("setting members of a reference merges them with the value it refers to")
  func joiningReferences() throws {
    let text = """
      pipeline: test
      let:
        body: { width: 4, norms: $norms }
        norms: { groups: 8, eps: 1 }
        net: { body: $body, head: 2 }
        wide: { $: $net, head: 3 }
      stages:
        one: { uses: example, with: { net: $net, wide: $wide } }
      fidelities:
        odd: { let: { net: { body: { norms: { groups: 9 } } } } }
        other: { let: { net: { body: { $: $norms, width: 1 } } } }
      """
    func one(_ fidelity: String?, _ settings: [String] = []) throws -> CanonicalValue {
      try PipelineFile(text: text, path: "test.yaml")
        .description(fidelity: fidelity, settings: settings.map { try Setting(parsing: $0) }).stages[0].with.plain
    }
    let odd = try one("odd")
    #expect(odd["net"] == ["body": ["width": 4, "norms": ["groups": 9, "eps": 1]], "head": 2] as CanonicalValue)
    #expect(odd["wide"] == ["body": ["width": 4, "norms": ["groups": 9, "eps": 1]], "head": 3] as CanonicalValue)
    #expect(try one(nil, ["let.net.body.norms.groups=9"])["net"] == odd["net"])
    // A mapping that names its own basis replaces the earlier one.
    #expect(try one("other")["net"]?["body"] == ["groups": 8, "eps": 1, "width": 1] as CanonicalValue)
    #expect(try one(nil, ["let.net.body=$norms"])["net"]?["body"] == ["groups": 8, "eps": 1] as CanonicalValue)
  }

  @Test("an expected root applies to one profile, one seed and its own file")
  func expectation() throws {
    let file = try PipelineFile(text: FidelityTests.text, path: "test.yaml")
    #expect(try file.expectedRoot(profile: nil, seed: nil)?.root == FidelityTests.root)
    #expect(try file.expectedRoot(profile: "small", seed: 3)?.root == FidelityTests.root)
    #expect(try file.expectedRoot(profile: "small", seed: 4) == nil)
    #expect(try file.expectedRoot(profile: "large", seed: nil) == nil)
    let folder = NSTemporaryDirectory() + "fidelity-test-" + UUID().uuidString
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    try FidelityTests.text.write(toFile: folder + "/base.yaml", atomically: true, encoding: .utf8)
    try "based-on: base.yaml\npipeline: other".write(
      toFile: folder + "/other.yaml", atomically: true, encoding: .utf8)
    let other = try PipelineFile(path: folder + "/other.yaml")
    #expect(try other.expectedRoot(profile: nil, seed: nil) == nil && other.profile == "small")
    let bad = try PipelineFile(
      text: FidelityTests.text.replacingOccurrences(of: FidelityTests.root, with: "abc"), path: "test.yaml")
    #expect(throws: PipelineError.self) { try bad.expectedRoot(profile: nil, seed: nil) }
  }
}
