import Determinism
import Foundation
import NN
import TensorFiles
import Tensors
import Testing

@testable import ArtifactStore
@testable import PipelineModel
@testable import Stages

/// A checkpoint is used only if its own attributes name this training and this step.
@Suite("TrainingDriver")
struct TrainingDriverTests {
  /// A training of four values with another result after every step. It is killed before step `end`.
  private final class TinyTraining: TrainingProcess {
    let steps = 8
    let unit = "updates"
    let metricNames = ["loss", "rate", "gradient norm"]
    var values = Tensor(zeros: [4])
    /// The steps that this object ran.
    var done: [Int] = []
    let end: Int

    init(end: Int = 8) { self.end = end }

    struct Killed: Error {}

    func step(_ index: Int) throws -> StepMetrics {
      guard index < end else { throw Killed() }
      done.append(index)
      values = Tensor(shape: [4]) { 0.5 * self.values[flat: $0] + Float(index * 4 + $0) }
      return StepMetrics(loss: 1 / Double(index + 1), rate: 0.5, gradientNorm: 1)
    }

    var state: StateDictionary { StateDictionary([("values", values)]) }

    func restore(_ state: StateDictionary) throws {
      guard let found = state.entries.first, state.entries.count == 1, found.name == "values", found.tensor.shape == [4]
      else { throw StateError(description: "not a state of this training") }
      values = found.tensor
    }
  }

  private final class ScratchFolder {
    let path = NSTemporaryDirectory() + "training-driver-\(UInt64.random(in: 0 ... .max))"
    init() throws { try FileIO.makeFolder(path) }
    deinit { try? FileManager.default.removeItem(atPath: path) }

    func context(_ seed: UInt64 = 1) -> StageContext {
      StageContext(
        kind: StageKind(PretrainBackboneStage.self), seed: seed, threads: 1, inputs: [:], scratch: path,
        // All trainings have one key here, so that only the checks of the driver can tell them apart.
        checkpoints: CheckpointFolder(path: path + "/checkpoints", key: Digest(of: "tiny")), checkpointInterval: 0,
        interruption: Interruption(),
        details: .init(
          stageName: "tiny", seed: seed, storePath: path, log: nil, sandbox: .off, tools: ToolIdentity(),
          fileExtensions: [:])
      ) { _ in }
    }

    /// Trains to the end, or until it is killed.
    @discardableResult
    func train(seed: UInt64 = 1, steps: Int = 600, end: Int = 8) throws -> TinyTraining {
      let training = TinyTraining(end: end)
      var parameters = PretrainBackboneStage.Parameters()
      parameters.recipe.steps = steps
      let driver = try TrainingDriver(of: PretrainBackboneStage.self, parameters, in: context(seed))
      do { try driver.run(training) } catch is TinyTraining.Killed {}
      return training
    }
  }

  private let whole: Tensor = {
    let training = TinyTraining()
    for i in 0..<8 { _ = try! training.step(i) }
    return training.values
  }()

  @Test("resumes from the newest checkpoint and ends with the values of an uninterrupted training")
  func resumed() throws {
    let folder = try ScratchFolder()
    try folder.train(end: 5)
    let training = try folder.train()
    #expect(training.done == [5, 6, 7] && training.values.isIdentical(to: whole))
  }

  @Test("a resumed training writes the history of an uninterrupted one")
  func history() throws {
    func history(_ folder: ScratchFolder) throws -> CanonicalValue {
      try CanonicalValue(json: FileIO.read(folder.path + "/out.history"))
    }
    let (straight, killed) = (try ScratchFolder(), try ScratchFolder())
    try straight.train()
    try killed.train(end: 5)
    #expect(throws: (any Error).self) { try history(killed) }
    #expect(try killed.train().done == [5, 6, 7])
    let whole = try history(straight)
    #expect(try history(killed) == whole)
    #expect(whole["columns"] == ["step", "loss", "rate", "gradient norm"] && whole["rows"]?.arrayValue?.count == 8)
    #expect(whole["rows"]?.arrayValue?[1] == [2, 0.5, 0.5, 1])
  }

  @Test("work that needs more memory than available is refused with both sizes and a remedy")
  func memory() throws {
    let context = try ScratchFolder().context()
    try context.requireMemory(values: 1000, advice: "the test")
    for values in [1e15, 1e300, .infinity] {
      let error = #expect(throws: StageError.self) {
        try context.requireMemory(values: values, advice: "'recipe.batch'")
      }
      let text = error?.description ?? ""
      #expect(text.contains("this needs ") && text.contains(" GiB are available "), "\(text)")
      #expect(text.contains("Make 'recipe.batch' smaller") && error?.isUserData == false)
    }
  }

  @Test("a state of another step is not used, even with a correct checksum; the one before is")
  func otherStep() throws {
    let folder = try ScratchFolder()
    try folder.train(end: 3)
    let early = try FileIO.read(folder.path + "/checkpoints/step-2")
    try folder.train(end: 5)
    try folder.context().saveCheckpoint(step: 5, of: 8) { try FileIO.write(early, to: $0) }
    let training = try folder.train()
    #expect(training.done.first == 4 && training.values.isIdentical(to: whole), "\(training.done)")
  }

  @Test("a state of another seed, other parameters or no training is not used; the training starts again")
  func otherTraining() throws {
    let plain = try TensorFile(tensors: [("values", NamedTensor(Tensor(zeros: [4])))])
    let forged = try TensorFile(
      tensors: [("values", NamedTensor(Tensor(zeros: [4])))],
      attributes: ["step": 4, "training": .string(Digest(of: Array("another".utf8)).hex)])
    for forge in ["seed", "parameters", "no attributes", "wrong attributes", "shape", "garbage"] {
      let folder = try ScratchFolder()
      switch forge {
      case "seed": try folder.train(seed: 2, end: 4)
      case "parameters": try folder.train(steps: 601, end: 4)
      case "no attributes": try folder.context().saveCheckpoint(step: 4, of: 8) { try plain.write(to: $0) }
      case "wrong attributes": try folder.context().saveCheckpoint(step: 4, of: 8) { try forged.write(to: $0) }
      case "shape":
        var parameters = PretrainBackboneStage.Parameters()
        parameters.recipe.steps = 600
        let own = try TrainingDriver(of: PretrainBackboneStage.self, parameters, in: folder.context())
        let file = try TensorFile(
          tensors: [
            ("values", NamedTensor(Tensor(zeros: [5]))),
            (TrainingHistory.tensorName, NamedTensor([Double](repeating: 0, count: 10), shape: [5, 2])),
          ],
          attributes: ["step": 4, "training": .string(own.identity.hex)])
        try folder.context().saveCheckpoint(step: 4, of: 8) { try file.write(to: $0) }
      default: try folder.context().saveCheckpoint(step: 4, of: 8) { try FileIO.write([1, 2, 3], to: $0) }
      }
      let training = try folder.train()
      #expect(training.done == Array(0..<8) && training.values.isIdentical(to: whole), "\(forge): \(training.done)")
    }
  }
}
