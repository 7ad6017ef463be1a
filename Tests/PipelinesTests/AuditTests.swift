import Foundation
import Testing

@testable import PipelineModel
@testable import Provenance

@Suite("Auditor finds and names damage")
struct AuditTests {
  /// One way to damage a store: which file, and what to do to it.
  struct Damage: CustomTestStringConvertible, Sendable {
    let testDescription: String
    let kind: AuditReport.Finding.Kind
    let names: String
    let part: String
    let ending: String
    let harm: @Sendable (String) throws -> Void

    static func flip(_ path: String, byte: (Int) -> Int = { $0 / 2 }) throws {
      var bytes = try Files.read(path)
      bytes[byte(bytes.count)] ^= 1
      try Files.remove(path)
      try Files.write(bytes, to: path)
    }

    static let all = [
      Damage(
        testDescription: "flipped bit of an object", kind: .corrupt, names: "of stage '", part: "objects",
        ending: ".json"
      ) {
        try flip($0)
      },
      Damage(
        testDescription: "flipped first bit of a file of a tree", kind: .corrupt, names: "a/b/deep.txt",
        part: "objects",
        ending: "deep.txt"
      ) {
        try flip($0, byte: { _ in 0 })
      },
      Damage(
        testDescription: "deleted file of a tree", kind: .corrupt, names: "flat.txt was 4 bytes", part: "objects",
        ending: "flat.txt"
      ) {
        try Files.remove($0)
      },
      Damage(
        testDescription: "flipped bit of a manifest", kind: .corrupt, names: "output 'pictures' of stage 'select'",
        part: "objects",
        ending: "manifest"
      ) {
        try flip($0)
      },
      Damage(
        testDescription: "flipped bit of a checksum", kind: .corrupt, names: "of stage '", part: "objects",
        ending: ".json.sha256"
      ) {
        try flip($0)
      },
      Damage(
        testDescription: "deleted object", kind: .missing, names: "is gone", part: "objects",
        ending: ".json"
      ) {
        try Files.remove($0)
      },
      Damage(
        testDescription: "deleted checksum", kind: .corrupt, names: "SHA-256 is missing", part: "objects",
        ending: ".json.sha256"
      ) {
        try Files.remove($0)
      },
      Damage(
        testDescription: "edited record", kind: .corrupt, names: "was changed after it was written", part: "records",
        ending: ".json"
      ) {
        let text = String(decoding: try Files.read($0), as: UTF8.self)
        try Files.write(Array(text.replacing("\"seconds\":", with: "\"seconds\":1").utf8), to: $0)
      },
      Damage(
        testDescription: "flipped bit of a record", kind: .corrupt, names: "record of stage '", part: "records",
        ending: ".json"
      ) {
        try flip($0)
      },
      Damage(
        testDescription: "space after a record", kind: .corrupt, names: "was changed", part: "records",
        ending: ".json"
      ) {
        try Files.write([0x20], to: $0, append: true)
      },
      Damage(
        testDescription: "deleted record", kind: .missing, names: "is gone", part: "records",
        ending: ".json"
      ) {
        try Files.remove($0)
      },
    ]
  }

  @Test("reports every kind of damage at every file it can hit", arguments: Damage.all)
  func damage(_ damage: Damage) throws {
    let bench = try Bench()
    try bench.run(TestPipelines.search)
    let sound = try bench.audit(deep: true)
    #expect(sound.isSound && sound.findings.isEmpty && sound.records == 6)
    // No record made the objects that hold elements of an array. They are checked when present, and may be absent.
    let elements = Set(try bench.audit().findings.map(\.path))
    let victims = try bench.files(damage.part).filter { $0.hasSuffix(damage.ending) && !elements.contains($0) }
    #expect(!victims.isEmpty)
    var found = 0
    for victim in victims {
      let path = bench.storePath + "/" + victim
      let before = try Files.read(path)
      try damage.harm(path)
      let problems = try bench.audit().findings.filter(\.isProblem)
      let object = victim.replacing(".sha256", with: "").split(separator: ".tree/")[0]
      let isNamed = problems.contains {
        $0.kind == damage.kind && $0.path.hasPrefix(object) && $0.message.contains(damage.names)
      }
      if isNamed {
        found += 1
      } else if !(try isElement(victim, bench)) {
        Issue.record("\(damage.testDescription) of \(victim) was not named: \(problems)")
      }
      try Files.remove(path)
      try Files.write(before, to: path)
    }
    #expect(found > 0)
    #expect(try bench.audit().isSound)
  }

  private func isElement(_ file: String, _ bench: Bench) throws -> Bool {
    let text = file.replacing("objects/", with: "").replacing("/", with: "").prefix(64)
    let store = try bench.store()
    return try store.recordKeys().contains { key in
      guard let record = try? store.record(key) else { return false }
      return record.elements.keys.contains { record.identity.inputs[$0] == .single(.init(hex: String(text))!) }
    }
  }

  @Test("a damaged object is not read; the error says what to do")
  func refusal() throws {
    let bench = try Bench()
    try bench.run(TestPipelines.search)
    let plan = try bench.planner(TestPipelines.search).plan()
    let weights = try #require(plan.stages.first { $0.name == "pretrain" }?.instances[0].outputs["weights"])
    try Damage.flip(bench.store().objectPath(weights))
    let result = try bench.run(TestPipelines.search, settings: ["pool.genes=[8]"]).result
    #expect((result.failures.first?.error as? PipelineError)?.code == .damaged)
    #expect(result.failures.first?.message.contains("Delete it and run again") == true)
  }

  @Test("what a crash leaves behind is reported as orphaned, not as damage")
  func orphans() throws {
    let bench = try Bench()
    try bench.run(TestPipelines.search)
    _ = try bench.store().publish(["nobody": "knows"])
    let report = try bench.audit()
    #expect(report.isSound && report.findings.map(\.kind) == [.orphaned])
  }

  @Test("a lost or damaged index is rebuilt from the records")
  func index() throws {
    let bench = try Bench()
    let root = try bench.run(TestPipelines.search).result.root
    try save("torn", to: bench.storePath + "/index")
    #expect(try bench.run(TestPipelines.search).executed == [])
    try Files.remove(bench.storePath + "/index")
    #expect(try bench.run(TestPipelines.search).result.root == root)
    #expect(try bench.audit().isSound)
  }
}
