import Determinism
import Foundation
import Testing

@testable import ArtifactStore
@testable import PipelineModel
@testable import PipelineRunner
@testable import Results

@Suite("Curves: braille, event files, live stages")
struct CurveTests {
  @Test("a rising line goes from the lowest dot on the left to the highest on the right")
  func braille() {
    let line = BraillePlot.lines((0..<8).map { (Double($0), Double($0)) }, width: 4)
    #expect(line.count == 1 && line[0].unicodeScalars.count == 4)
    let scalars = Array(line[0].unicodeScalars).map(\.value)
    #expect(scalars[0] & 0x40 != 0 && scalars[3] & 0x08 != 0)
    #expect(BraillePlot.lines([], width: 3) == ["   "])
    // Few points are joined by lines.
    #expect(BraillePlot.lines([(0, 0), (1, 1)], width: 4)[0].unicodeScalars.allSatisfy { $0.value > 0x2800 })
    // A constant is in the middle, and what is not finite is left out.
    let flat = BraillePlot.lines([(0, 2), (1, .nan), (2, 2)], width: 1, height: 2)
    #expect(flat.count == 2 && flat.joined().unicodeScalars.contains { $0.value > 0x2800 })
    #expect(BraillePlot.lines([(0, -1e308), (1, 1e308)], width: 1).count == 1)
  }

  @Test(
    "checksums are CRC32C",
    arguments: [("123456789", 0xE306_9283), ("", 0), ("\0\0\0\0", 0x4867_4BC7)] as [(String, UInt32)])
  func checksums(text: String, checksum: UInt32) {
    #expect(EventFile.checksum(of: Array(text.utf8)) == checksum)
  }

  @Test("an event file holds its version, then a summary for each number")
  func events() {
    let history = History(
      unit: "steps", steps: 300, stepsPerRow: 1, names: ["a"],
      rows: [History.Row(step: 300, values: [0.5]), History.Row(step: 301, values: [nil])])
    let bytes = EventFile.bytes(of: history)
    // Length, checksum, wall_time 0 and file_version "brain.Event:2", checksum.
    let version: [UInt8] = [0x09] + [UInt8](repeating: 0, count: 8) + [0x1A, 13] + Array("brain.Event:2".utf8)
    #expect(bytes[0..<8].elementsEqual([UInt8(version.count)] + [UInt8](repeating: 0, count: 7)))
    #expect(bytes[12..<12 + version.count].elementsEqual(version))
    // wall_time 0, step 300, a summary with the tag 'a' and 0.5 as binary32.
    let scalar: [UInt8] =
      [0x09] + [UInt8](repeating: 0, count: 8) + [
        0x10, 0xAC, 0x02, 0x2A, 10, 0x0A, 8, 0x0A, 1, 0x61, 0x15, 0, 0, 0, 0x3F,
      ]
    let begin = 12 + version.count + 4
    #expect(bytes[begin] == UInt8(scalar.count) && bytes[(begin + 12)...].prefix(scalar.count).elementsEqual(scalar))
    #expect(bytes.count == begin + 12 + scalar.count + 4)
    let checksum = EventFile.maskedChecksum(of: scalar)
    #expect(bytes.suffix(4).elementsEqual((0..<4).map { UInt8(truncatingIfNeeded: checksum >> (8 * $0)) }))
  }

  /// Measures, and looks at its own curve while it runs.
  private struct Live: Stage {
    static let name = "live", version = 1
    static let outputs = [OutputPort("seen", "json")]
    init(parameters: NoParameters) {}
    func run(in context: StageContext) throws {
      for step in 1...3 { context.measured(step: step, unit: "rounds", [("loss", 1 / Double(step)), ("bad", .nan)]) }
      // Done again, as after a resumption.
      context.measured(step: 3, unit: "rounds", [("loss", 0.25)])
      let store = try Store(
        observing: context.details.storePath, registry: StageRegistry(kinds: [StageKind(Self.self)]))
      let curve = try CurveReader(store: store).curve(context.details.stageName)
      try context.write(
        "seen", json: ["live": .bool(curve.isLive), "history": curve.history.canonical] as CanonicalValue)
    }
  }

  @Test("the curve of a stage that runs is there while it runs")
  func live() throws {
    let bench = try Bench()
    bench.registry = TestStages.registry(adding: StageKind(Live.self))
    let text = "pipeline: p\nstages:\n  s: { uses: live }\n"
    #expect(try bench.run(text).result.failures.isEmpty)
    let seen = try CanonicalValue(json: Array(bench.text(text, file: "search.yaml", "s", "seen").utf8))
    #expect(seen["live"] == true)
    let history = try #require(seen["history"].flatMap(History.init(canonical:)))
    #expect(history.unit == "rounds" && history.names == ["loss"])
    #expect(history.series("loss").map(\.value) == [1, 0.5, 0.25])
    // Afterwards there is no history: the stage wrote none.
    #expect(throws: PipelineError.self) { try CurveReader(store: bench.store()).curve("s") }
  }

  @Test("a command's curve is followed while it writes")
  func followed() throws {
    let bench = try Bench()
    // It ends when its second step was seen.
    let text = #"""
      pipeline: p
      stages:
        s:
          uses: command
          with:
            run: 'printf "{\"step\":1,\"loss\":4}\n{\"step\":2,\"loss\":3}\n" > c.jsonl; while [ ! -e $GO ]; do sleep 0.1; done; printf "{\"step\":3,\"loss\":2}\n" >> c.jsonl'
            tools: [printf, sleep]
            history: c.jsonl
            environment: { GO: @ }
      """#.replacing("@", with: bench.folder + "/go")
    let rows = Recorder()
    let (planner, go) = (try bench.planner(text), bench.folder + "/go")
    let runner = Runner(planner: planner, options: bench.options) { event in
      if case .measured(_, let step, _, let values) = event {
        rows.note("\(step) \(values[0].name) \(values[0].value)")
        if step == 2 { try? Files.write([], to: go) }
      }
    }
    #expect(try runner.run().failures.isEmpty)
    #expect(rows.notes == ["1 loss 4.0", "2 loss 3.0"])
    #expect(try CurveReader(store: bench.store()).curve("s").history.rows.count == 3)
  }

  @Test("a history is found by its stage, its output, its ID and its run")
  func found() throws {
    let bench = try Bench()
    func text(_ loss: Int) -> String {
      "pipeline: p\nstages:\n  s: { uses: command, with: { tools: [printf], history: c.csv, "
        + "run: 'printf \"step,loss\\n1,\(loss)\\n\" > c.csv' } }\n"
    }
    for loss in [5, 6] { try bench.run(text(loss), named: "run-\(loss)") }
    let store = try bench.store()
    let reader = CurveReader(store: store)
    for subject in ["s", "s.history"] { #expect(try reader.curve(subject).history.series("loss").map(\.value) == [6]) }
    #expect(try reader.curve("s", run: "run-5").history.series("loss").map(\.value) == [5])
    #expect(throws: PipelineError.self) { try reader.curve("t", run: "run-5") }
  }
}
