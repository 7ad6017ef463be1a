import Autograd
import Datasets
import Determinism
import Models
import NN
import Pipelines
import Tensors

/// The recipe of ImageNet pretraining (method 2.2). Defaults: the supernet before search.
struct ClassifierRecipe: Codable, Hashable, Sendable {
  var steps = 300_000
  /// Images of one forward and backward pass.
  var batch = 1024
  /// Passes of one update, each over a batch of its own with its own batch statistics, as on several GPUs (method 1.5);
  /// their gradients are averaged, and they run side by side.
  var replicas = 1
  var baseRate = 0.5
  var momentum = 0.9
  var weightDecay = 4e-5
  /// Limit of gradients relative to their parameters (see `SGD`); the paper has none, which is 0.
  var clipping = 0.0
  var labelSmoothing: Double = 0.1
  var dropout: Float = 0.2
  var batchNormMomentum: Double = 0.1
}

/// Trains a classifier: a random path a step for a supernet (method 2.4), or one architecture.
final class ClassifierTraining: TrainingProcess {
  let classifier: Classifier
  private let recipe: ClassifierRecipe
  private let batches: BatchStream<ClassificationBatch>
  private let optimizer: SGD
  private let seeds: Seeds
  /// The path of a fixed architecture; nil for a supernet.
  private let path: [Int]?
  private let schedule: Schedule
  private let share: PassShare
  private let passes: TeamPasses

  /// - Parameter batches: those of this member's share of the replicas, one after the other.
  init(
    classifier: Classifier, path: [Int]?, recipe: ClassifierRecipe, batches: BatchStream<ClassificationBatch>,
    seeds: Seeds, team: any Team = SoloTeam()
  ) {
    share = PassShare([0..<recipe.replicas], for: team)
    passes = TeamPasses(classifier.store, team: team)
    self.classifier = classifier
    self.recipe = recipe
    self.batches = batches
    self.seeds = seeds
    self.path = path
    schedule = Schedule(.linear, base: recipe.baseRate, total: recipe.steps)
    // Decay on weights only; norms and biases are left alone (method 2.2).
    optimizer = SGD(classifier.store.parameters, momentum: recipe.momentum, clipping: recipe.clipping) { parameter in
      SGD.Rule(weightDecay: parameter.role == .weight ? recipe.weightDecay : 0)
    }
  }

  var steps: Int { recipe.steps }
  var unit: String { "updates" }
  var metricNames: [String] { ["loss", "rate", "gradient norm"] }

  func step(_ index: Int) throws -> StepMetrics {
    let path = path(of: index)
    var window = GradientWindow(classifier.store.parameters)
    let results = try passes.run(0..<recipe.replicas, into: &window) { try runReplicas($0, path: path, step: index) }
    var total: Float = 0
    for result in results {
      guard result.losses[0].isFinite else { throw StageError.notFinite("the loss", step: index) }
      total += result.losses[0]
    }
    window.average(over: recipe.replicas)
    try window.requireFinite(step: index)
    // The rate has moved on by one before every update, so the last update has rate 0 (method 2.2).
    let rate = schedule.rate(at: index + 1)
    var norm = GradientNorm()
    norm.add(window.sums)
    optimizer.step(gradients: window.sums, rate: rate)
    for update in results.flatMap(\.statistics) { update.apply() }
    return StepMetrics(loss: Double(total / Float(recipe.replicas)), rate: rate, gradientNorm: norm.value)
  }

  /// Runs some replicas side by side.
  private func runReplicas(
    _ replicas: ArraySlice<Int>, path: [Int], step: Int
  ) throws -> [(pass: Pass, losses: [Float])] {
    let inputs = try replicas.map { try batches.batch(share.batch(ofPass: $0, update: step)) }
    return SideBySide.map(replicas.count) { [classifier, recipe, seeds] i in
      let pass = Pass(mode: .training)
      var random = seeds.stream("step/\(step)/replica/\(replicas[replicas.startIndex + i])/dropout")
      let scores = classifier(pass.constant(inputs[i].images), path: path, random: &random)
      let loss = crossEntropy(
        scores, labels: inputs[i].labels.map(Int32.init), ignoring: -1, smoothing: recipe.labelSmoothing)
      pass.backward(from: loss)
      return (pass, [loss.value.item])
    }
  }

  private func path(of index: Int) -> [Int] {
    if let path { return path }
    var random = seeds.stream("step/\(index)/path")
    return classifier.randomPath(using: &random)
  }

  var state: StateDictionary { classifier.store.state.appending(optimizer.state) }

  func restore(_ state: StateDictionary) throws {
    try optimizer.check(state)
    try classifier.store.load(state)
    optimizer.load(state)
  }
}

extension Classifier {
  /// A choice of each layer, for a supernet (method 2.4).
  func randomPath(using random: inout RandomStream) -> [Int] {
    let configuration = backbone.configuration
    return (0..<configuration.blockCount).map { _ in random.below(configuration.operators.count) }
  }
}
