import Foundation
import PipelineFiles
import Testing

@testable import PipelineModel

@Suite("'based-on' derives a pipeline file from another one")
struct BaseFileTests {
  private func withFiles<R>(_ files: [String: String], _ body: (String) throws -> R) throws -> R {
    let folder = NSTemporaryDirectory() + "basis-" + UUID().uuidString
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    for (name, text) in files { try Data(text.utf8).write(to: URL(fileURLWithPath: "\(folder)/\(name)")) }
    return try body(folder)
  }

  static let base = """
    pipeline: base
    seed: 3
    stages:
      data: { uses: make, with: { count: 5 } }
      train: { uses: train, needs: { data: data.data }, with: { rate: 0.5, steps: 2 } }
    profiles:
      small: { data: { count: 1 }, train: { steps: 1 } }
    """

  private func stages(_ child: String, profile: String? = nil) throws -> [PipelineDescription.StageEntry] {
    try withFiles(["base.yaml": BaseFileTests.base, "child.yaml": child]) { folder in
      try PipelineFile(path: folder + "/child.yaml").description(profile: profile).stages
    }
  }

  private func text(_ value: LocatedValue?) -> String {
    switch value?.content {
    case .integer(let i): "\(i)"
    case .number(let n): "\(n)"
    default: "-"
    }
  }

  @Test("mappings are merged, other values are replaced, empty values remove a member")
  func merging() throws {
    let all = try stages(
      """
      based-on: base.yaml
      pipeline: child
      stages:
        train: { with: { steps: 9 } }
        report: { uses: report, needs: { data: data.data } }
      profiles:
        small: { data: ~, report: { width: 7 } }
      """, profile: "small")
    #expect(all.map(\.name) == ["data", "train", "report"])
    #expect(text(all[0].with["count"]) == "5" && text(all[1].with["rate"]) == "0.5")
    #expect(text(all[1].with["steps"]) == "1" && text(all[2].with["width"]) == "7")
    #expect(all[1].needs.map(\.input) == ["data"])
    let fewer = try stages("based-on: base.yaml\nstages:\n  train: ~")
    #expect(fewer.map(\.name) == ["data"])
  }

  @Test("mappings are merged with the value of a name that the base file defines")
  func joiningReferences() throws {
    let base = """
      pipeline: base
      let: { net: { width: 4, depth: 2 } }
      stages: { train: { uses: train, with: { net: $net } } }
      """
    let child = "based-on: base.yaml\nstages: { train: { with: { net: { depth: 3 } } } }"
    try withFiles(["base.yaml": base, "child.yaml": child]) { folder in
      let net = try PipelineFile(path: folder + "/child.yaml").description().stages[0].with["net"]
      #expect(text(net?["width"]) == "4" && text(net?["depth"]) == "3")
    }
    let empty = "based-on: base.yaml\nstages: { train: { with: { net: { depth: ~ } } } }"
    try withFiles(["base.yaml": base, "child.yaml": empty]) { folder in
      let net = try PipelineFile(path: folder + "/child.yaml").description().stages[0].with["net"]
      // The empty value is kept, so that the stage refuses it: nothing is dropped silently.
      guard case .null? = net?["depth"]?.content else { throw PipelineError(.badValue, "depth is not empty") }
    }
  }

  @Test("a stage with another kind inherits nothing from the stage it replaces")
  func replacedKind() throws {
    let all = try stages("based-on: base.yaml\nstages:\n  train: { uses: copy, needs: { from: data.data } }")
    #expect(all[1].uses == "copy" && all[1].needs.map(\.input) == ["from"] && all[1].with["rate"] == nil)
  }

  @Test(
    "a mistake is reported with its position",
    arguments: [
      ("based-on: [a]", "child.yaml:1:11: error: 'based-on': expected the name of a file, found a list"),
      ("based-on: /etc/passwd", "child.yaml:1:11: error: 'based-on: /etc/passwd': must be a file in this folder"),
      ("based-on: ../base.yaml", "child.yaml:1:11: error: 'based-on: ../base.yaml': must be a file in this folder"),
      ("based-on: bsae.yaml", "child.yaml:1:11: error: 'based-on: bsae.yaml': cannot read"),
      ("based-on: child.yaml", "child.yaml:1:11: error: 'based-on': a chain of more than 8 files; is there a cycle?"),
    ])
  func mistakes(_ child: String, _ expected: String) throws {
    let error = #expect(throws: PipelineError.self) { try stages(child) }
    #expect(error?.description.contains(expected) == true, "\(error?.description ?? "")")
  }

  @Test("a mistake in the base file is reported with its position in the base file")
  func mistakeInBase() throws {
    let error = #expect(throws: PipelineError.self) {
      try withFiles(["base.yaml": "stages: [", "child.yaml": "based-on: base.yaml"]) { folder in
        _ = try PipelineFile(path: folder + "/child.yaml")
      }
    }
    #expect(error?.description.contains("base.yaml:") == true)
  }
}
