import Determinism
import Foundation
import Testing

@testable import PipelineModel
@testable import Results

@Suite("TensorBoard")
struct TensorBoardTests {
  private static let python =
    (0..<4).reduce(URL(fileURLWithPath: #filePath)) { url, _ in url.deletingLastPathComponent() }.path
    + "/.build/tensorboard/bin/python"

  private static let isInstalled: ConditionTrait = .enabled(
    if: access(python, X_OK) == 0, "TensorBoard is not installed; 'make test-tensorboard' does that")

  private static let script = """
    import sys
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
    events = EventAccumulator(sys.argv[1], size_guidance={"scalars": 0})
    events.Reload()
    for tag in sorted(events.Tags()["scalars"]):
      print(tag, [(e.step, e.value) for e in events.Scalars(tag)])
    """

  @Test("reads the curves that are written for it", isInstalled)
  func reads() throws {
    let folder = NSTemporaryDirectory() + "tensorboard-\(UInt64.random(in: 0 ... .max))"
    defer { try? Files.remove(folder) }
    let history = History(
      unit: "updates", steps: 3, stepsPerRow: 1, names: ["loss", "rpn box"],
      rows: [
        History.Row(step: 1, values: [2.5, nil]), History.Row(step: 2, values: [-0.25, 1]),
        History.Row(step: 300, values: [0, 1e-3]),
      ])
    let path = try Curve(title: "train[2,3]", history: history, isLive: false).writeEvents(below: folder)
    #expect(path.hasPrefix("\(folder)/train-2-3/events.out.tfevents."))
    let process = Process()
    process.executableURL = URL(fileURLWithPath: TensorBoardTests.python)
    process.arguments = ["-c", TensorBoardTests.script, path]
    let output = Pipe()
    process.standardOutput = output
    try process.run()
    let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    #expect(
      text == """
        loss [(1, 2.5), (2, -0.25), (300, 0.0)]
        rpn box [(2, 1.0), (300, 0.0010000000474974513)]

        """)
  }
}
