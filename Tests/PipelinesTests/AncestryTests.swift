import Determinism
import Testing

@testable import ArtifactStore
@testable import PipelineModel

@Suite("Ancestry orders records by what they read")
struct AncestryTests {
  private func record(_ name: String, reads: [String], makes: [String]) -> Record {
    Record(
      identity: StageIdentity(
        kind: name, version: 1, traits: [:], parameters: [:], seed: nil,
        inputs: ["all": .list(reads.map { Digest(of: $0) })]),
      pipeline: "p", stage: name,
      outputs: Dictionary(
        makes.map { ($0, Artifact(kind: "json", digest: Digest(of: $0))) }, uniquingKeysWith: { a, _ in a }),
      sizes: [:], checksums: [:], elements: [:], trace: Trace(), environment: .null, run: "", started: "", seconds: 0)
  }

  @Test("a record comes after the records whose outputs it reads, whatever the keys; a cycle has a fixed order too")
  func producersComeFirst() {
    // A chain of a hundred, a record that two made, and one that passes what it reads through.
    var records = (0..<100).map { record("chain \($0)", reads: $0 == 0 ? [] : ["c\($0 - 1)"], makes: ["c\($0)"]) }
    records += [
      record("one", reads: ["c5"], makes: ["both"]), record("two", reads: ["c99"], makes: ["both"]),
      record("reader", reads: ["both"], makes: ["end"]), record("passing", reads: ["end"], makes: ["end"]),
    ]
    let order = Ancestry(Dictionary(records.map { ($0.key, $0) }, uniquingKeysWith: { a, _ in a })).makersFirst
    #expect(order.count == records.count && Set(order).count == records.count)
    func place(_ name: String) -> Int {
      order.firstIndex { key in records.contains { $0.key == key && $0.stage == name } } ?? -1
    }
    for i in 1..<100 { #expect(place("chain \(i - 1)") < place("chain \(i)")) }
    for maker in ["one", "two"] { #expect(place(maker) < place("reader")) }
    #expect(place("two") > place("chain 99"))
  }
}
