import Autograd
import Datasets
import Determinism
import Models
import NN
import Search
import Tensors

/// Trains a panoptic network, update after update, each from one pass or from a window of passes.
///
/// A window holds the strictly fair block of paths of a supernet (method 5.3, 5.4): every choice of every layer is used
/// equally often between two updates. Passes run side by side; gradients and statistics fold in path order.
final class PanopticTraining: TrainingProcess {
  let network: PanopticNetwork
  private let recipe: PanopticRecipe
  private let batches: BatchStream<PanopticBatch>
  private let optimizer: SGD
  private let seeds: Seeds
  private let schedule: Schedule
  private let paths: Paths
  let rhythm: UpdateRhythm

  init(
    network: PanopticNetwork, paths: Paths, recipe: PanopticRecipe,
    batches: BatchStream<PanopticBatch>, seeds: Seeds
  ) {
    self.network = network
    self.paths = paths
    self.recipe = recipe
    self.batches = batches
    self.seeds = seeds
    let rhythm = UpdateRhythm(paths, layers: network.configuration.searchedLayers, period: recipe.period)
    self.rhythm = rhythm
    schedule = Schedule(
      recipe.schedule, base: recipe.baseRate, total: recipe.updates * paths.iterations, warmup: recipe.warmup,
      milestones: recipe.milestones)
    optimizer = SGD(network.store.parameters, momentum: recipe.momentum, clipping: recipe.clipping) { parameter in
      let divider = rhythm.rateDivider(of: parameter)
      return switch parameter.role {
      case .weight, .scale: SGD.Rule(rateFactor: 1 / divider, weightDecay: recipe.weightDecay)
      case .bias:
        SGD.Rule(
          rateFactor: recipe.biasRateFactor / (recipe.biases == .divided ? divider : 1), weightDecay: 0)
      }
    }
  }

  /// The parts of the loss as metrics, in the order of `PanopticLosses.named`.
  private static let shortNames = ["rpn", "rpn box", "class", "box", "mask", "semantic"]

  var steps: Int { recipe.updates }
  var unit: String { "updates" }
  var metricNames: [String] { ["loss"] + PanopticTraining.shortNames + ["rate"] }

  func step(_ index: Int) throws -> StepMetrics {
    let block = architectures(of: index)
    var window = GradientWindow(network.store.parameters)
    var sums = [Float](repeating: 0, count: 6)
    var total: Float = 0
    var next = 0
    while next < block.count {
      let results = try runPasses(from: next, of: block, update: index)
      for result in results {
        let named = result.losses.named
        for loss in named where !loss.value.isFinite {
          throw StageError.notFinite("the \(loss.name) loss", step: index)
        }
        window.add(result.pass)
        result.pass.commitStatistics()
        total += result.losses.total.value.item
        for (i, loss) in named.enumerated() { sums[i] += loss.value }
      }
      next += results.count
      if next < block.count && next == rhythm.nextUpdate(after: next - 1) {
        try update(&window, afterPasses: next, of: index)
      }
    }
    if case .fixed(_, let replicas) = paths { window.average(over: replicas) }
    try update(&window, afterPasses: block.count, of: index)
    return StepMetrics(
      loss: Double(total / Float(block.count)),
      parts: zip(PanopticTraining.shortNames, sums).map { ($0, Double($1 / Float(block.count))) },
      rate: rate(of: index, afterPasses: block.count))
  }

  /// The learning rate of an update after so many of its passes, before the factors of single parameters.
  private func rate(of index: Int, afterPasses passes: Int) -> Double {
    schedule.rate(at: index * paths.iterations + (paths.iterations > 1 ? passes : 1))
  }

  /// Moves the parameters whose period ends here.
  private func update(_ window: inout GradientWindow, afterPasses passes: Int, of index: Int) throws {
    try window.requireFinite(step: index)
    if recipe.normGradients == .summedOverEight {
      window.scale(by: 8) { $0.norm == .batch && rhythm.isDue($0, afterPasses: passes) }
    }
    optimizer.step(
      gradients: window.take { rhythm.isDue($0, afterPasses: passes) },
      rate: rate(of: index, afterPasses: passes))
  }

  /// The next passes of a block: over small pictures as many side by side as there are threads; large pictures keep all
  /// threads busy with their loops, and one pass at a time needs the memory of one. No result depends on it.
  private func runPasses(
    from first: Int, of block: [Architecture], update: Int
  ) throws -> [(pass: Pass, losses: PanopticLosses)] {
    var inputs = [try batches.batch(update * paths.count + first)]
    let width = inputs[0].images.count < PanopticNetwork.largeInput ? Parallel.threads : 1
    while inputs.count < width, first + inputs.count < rhythm.nextUpdate(after: first) {
      inputs.append(try batches.batch(update * paths.count + first + inputs.count))
    }
    return SideBySide.map(inputs.count) { [network, seeds, inputs] i in
      let pass = Pass(mode: .training)
      var random = seeds.stream("update/\(update)/pass/\(first + i)/samples")
      let losses = network.losses(
        pass.constant(inputs[i].images), targets: inputs[i].targets, path: block[first + i], random: &random)
      pass.backward(from: losses.total)
      return (pass, losses)
    }
  }

  /// What the passes of an update run.
  func architectures(of update: Int) -> [Architecture] {
    switch paths {
    case .fixed(let architecture, let replicas): return Array(repeating: architecture, count: replicas)
    case .fairBlocks(let space):
      var random = seeds.stream("update/\(update)/paths")
      let block = FairSampler.block(in: space, using: &random)
      guard recipe.window == .shifted else { return block.map { Architecture($0, in: space) } }
      var later = seeds.stream("update/\(update + 1)/paths")
      return (block.dropFirst() + FairSampler.block(in: space, using: &later).prefix(1)).map {
        Architecture($0, in: space)
      }
    }
  }

  var state: StateDictionary { network.store.state.appending(optimizer.state) }

  func restore(_ state: StateDictionary) throws {
    try optimizer.check(state)
    try network.store.load(state)
    optimizer.load(state)
  }
}
