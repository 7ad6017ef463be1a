import Determinism
import Models
import NN
import Tensors
import Testing

@testable import Datasets
@testable import Stages

@Suite("ClassifierTraining")
struct ClassifierTrainingTests {
  private static let seeds = Seeds(kind: "classifier-tests", seed: 1)
  private static let steps = 4
  private static let backbone = BackboneConfiguration(
    stemChannels: 2, stageChannels: [4, 8, 12, 16], stageBlocks: [2, 1, 1, 1], classifierChannels: 8)

  private static func batch(_ step: Int) -> ClassificationBatch {
    var random = seeds.stream("batch/\(step)")
    return ClassificationBatch(
      images: Tensor(shape: [2, 3, 32, 32]) { _ in Float(random.uniform(0, 255)) }, labels: [0, 1])
  }

  private func training(path: [Int]? = nil, rate: Double = 0.1) -> ClassifierTraining {
    var recipe = ClassifierRecipe()
    recipe.steps = ClassifierTrainingTests.steps
    recipe.baseRate = rate
    let classifier = Classifier(
      ClassifierTrainingTests.backbone, choices: path.map { .fixed($0) } ?? .supernet, classes: 2,
      dropout: recipe.dropout, momentum: recipe.batchNormMomentum, seeds: ClassifierTrainingTests.seeds)
    return ClassifierTraining(
      classifier: classifier, path: path, recipe: recipe,
      batches: BatchStream {
        Prefetcher(steps: $0..<ClassifierTrainingTests.steps) { ClassifierTrainingTests.batch($0) }
      }, seeds: ClassifierTrainingTests.seeds)
  }

  @Test("a step trains one choice of every layer of the supernet (method 2.4)")
  func onePath() throws {
    let training = training()
    _ = try training.step(0)
    let moved = training.state.scoped("velocity/").entries.map(\.name)
    for layer in ["stage1/0", "stage1/1", "stage2/0", "stage3/0", "stage4/0"] {
      let choices = (0..<4).filter { choice in moved.contains { $0.hasPrefix("body/\(layer)/choice\(choice)/") } }
      #expect(choices.count == 1, "\(layer): \(choices)")
    }
    #expect(moved.contains("body/stem/weight"))
    #expect(moved.contains("classifier/output/bias"))
  }

  @Test("the last update has rate zero: it changes statistics, not weights (method 2.2)")
  func lastUpdate() throws {
    let training = training(path: [0, 1, 2, 3, 0])
    for step in 0..<ClassifierTrainingTests.steps - 1 { _ = try training.step(step) }
    let parameters = training.classifier.store.parameters.map(\.value)
    let buffers = training.classifier.store.buffers.map(\.value)
    _ = try training.step(ClassifierTrainingTests.steps - 1)
    for (parameter, before) in zip(training.classifier.store.parameters, parameters) {
      #expect(parameter.value.array == before.array, "\(parameter.name)")
    }
    #expect(zip(training.classifier.store.buffers, buffers).allSatisfy { !$0.value.isIdentical(to: $1) })
  }

  @Test("a restored training continues with the same bits")
  func restored() throws {
    let straight = training()
    for step in 0..<ClassifierTrainingTests.steps { _ = try straight.step(step) }
    let first = training()
    for step in 0..<2 { _ = try first.step(step) }
    let second = training()
    try second.restore(first.state)
    for step in 2..<ClassifierTrainingTests.steps { _ = try second.step(step) }
    for (a, b) in zip(straight.state.entries, second.state.entries) {
      #expect(a.name == b.name && a.tensor.isIdentical(to: b.tensor), "\(a.name)")
    }
  }

  @Test("a loss or gradient that is not finite is an error with step and name")
  func diverged() throws {
    let broken = training(path: [0, 1, 2, 3, 0], rate: 1e38)
    let error = #expect(throws: StageError.self) {
      for step in 0..<ClassifierTrainingTests.steps { _ = try broken.step(step) }
    }
    #expect(error?.description.contains("is not finite; training has diverged") == true)
  }
}
