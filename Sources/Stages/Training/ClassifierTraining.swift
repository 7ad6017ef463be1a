import Autograd
import Datasets
import Determinism
import Models
import NN
import Pipelines
import Tensors

/// The recipe of ImageNet pretraining (spec 2.2). Defaults: the supernet before search.
struct ClassifierRecipe: Codable, Hashable, Sendable {
  var steps = 300_000
  var batch = 1024
  var baseRate = 0.5
  var momentum = 0.9
  var weightDecay = 4e-5
  var labelSmoothing: Double = 0.1
  var dropout: Float = 0.2
  var batchNormMomentum: Double = 0.1
}

/// Trains a classifier: a random path a step for a supernet (spec 2.4), or one architecture.
final class ClassifierTraining: TrainingProcess {
  let classifier: Classifier
  private let recipe: ClassifierRecipe
  private let batches: BatchStream<ClassificationBatch>
  private let optimizer: SGD
  private let seeds: Seeds
  private let layers: Int
  /// The path of a fixed architecture; nil for a supernet.
  private let path: [Int]?
  private let schedule: Schedule

  init(
    classifier: Classifier, path: [Int]?, recipe: ClassifierRecipe, batches: BatchStream<ClassificationBatch>,
    seeds: Seeds
  ) {
    self.classifier = classifier
    self.recipe = recipe
    self.batches = batches
    self.seeds = seeds
    self.path = path
    layers = classifier.body.configuration.blockCount
    schedule = Schedule(.linear, base: recipe.baseRate, total: recipe.steps)
    // Decay on weights only; norms and biases are left alone (spec 2.2).
    optimizer = SGD(classifier.store.parameters, momentum: recipe.momentum) { parameter in
      SGD.Rule(weightDecay: parameter.role == .weight ? recipe.weightDecay : 0)
    }
  }

  var steps: Int { recipe.steps }
  var unit: String { "updates" }

  func step(_ index: Int) throws -> String {
    let batch = try batches.batch(index)
    let pass = Pass(mode: .training)
    var random = seeds.stream("step/\(index)/dropout")
    let scores = classifier(pass.constant(batch.images), path: path(of: index), random: &random)
    let loss = crossEntropy(scores, labels: batch.labels.map(Int32.init), ignoring: -1, smoothing: recipe.labelSmoothing)
    guard loss.value.item.isFinite else { throw TrainingError.notFinite("the loss", step: index) }
    pass.backward(from: loss)
    var window = GradientWindow(classifier.store.parameters)
    window.add(pass)
    try window.requireFinite(step: index)
    // The rate has moved on by one before every update, so the last update has rate 0 (spec 2.2).
    optimizer.step(gradients: window.sums, rate: schedule.rate(at: index + 1))
    pass.commitStatistics()
    return "loss \(loss.value.item.text(digits: 3))"
  }

  private func path(of index: Int) -> [Int] {
    if let path { return path }
    var random = seeds.stream("step/\(index)/path")
    return (0..<layers).map { _ in random.below(BodyOperator.allCases.count) }
  }

  var state: StateDictionary { classifier.store.state.appending(optimizer.state) }

  func restore(_ state: StateDictionary) throws {
    try classifier.store.load(state)
    optimizer.load(state)
  }
}
