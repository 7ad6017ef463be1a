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
  private let share: PassShare
  private let passes: TeamPasses

  /// - Parameter batches: those of this member's share of the passes, one after the other.
  init(
    network: PanopticNetwork, paths: Paths, recipe: PanopticRecipe, batches: BatchStream<PanopticBatch>, seeds: Seeds,
    team: any Team = SoloTeam()
  ) {
    self.network = network
    self.paths = paths
    self.recipe = recipe
    self.batches = batches
    self.seeds = seeds
    let rhythm = UpdateRhythm(paths, layers: network.configuration.searchedLayers, period: recipe.period)
    self.rhythm = rhythm
    share = PassShare(rhythm.segments, for: team)
    passes = TeamPasses(network.store, team: team)
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
  var metricNames: [String] { ["loss"] + PanopticTraining.shortNames + ["rate", "gradient norm"] }

  func step(_ index: Int) throws -> StepMetrics {
    let block = architectures(of: index)
    var window = GradientWindow(network.store.parameters)
    var norm = GradientNorm()
    var sums = [Float](repeating: 0, count: PanopticLosses.names.count)
    for segment in rhythm.segments {
      let results = try passes.run(segment, into: &window) { try runPasses($0, of: block, update: index) }
      for result in results {
        for (name, loss) in zip(PanopticLosses.names, result.losses).dropLast() where !loss.isFinite {
          throw StageError.notFinite("the \(name) loss", step: index)
        }
        for update in result.statistics { update.apply() }
        for (i, loss) in result.losses.enumerated() { sums[i] += loss }
      }
      if segment.upperBound < block.count { try update(&window, afterPasses: segment.upperBound, of: index, &norm) }
    }
    if case .fixed(_, let replicas) = paths { window.average(over: replicas) }
    try update(&window, afterPasses: block.count, of: index, &norm)
    return StepMetrics(
      loss: Double(sums[PanopticTraining.shortNames.count] / Float(block.count)),
      parts: zip(PanopticTraining.shortNames, sums).map { ($0, Double($1 / Float(block.count))) },
      rate: rate(of: index, afterPasses: block.count), gradientNorm: norm.value)
  }

  /// The learning rate of an update after so many of its passes, before the factors of single parameters.
  private func rate(of index: Int, afterPasses passes: Int) -> Double {
    schedule.rate(at: index * paths.iterations + (paths.iterations > 1 ? passes : 1))
  }

  /// Moves the parameters whose period ends here.
  private func update(
    _ window: inout GradientWindow, afterPasses passes: Int, of index: Int, _ norm: inout GradientNorm
  ) throws {
    try window.requireFinite(step: index)
    if recipe.normGradients == .summedOverEight {
      window.scale(by: 8) { $0.norm == .batch && rhythm.isDue($0, afterPasses: passes) }
    }
    let gradients = window.take { rhythm.isDue($0, afterPasses: passes) }
    norm.add(gradients)
    optimizer.step(gradients: gradients, rate: rate(of: index, afterPasses: passes))
  }

  /// Runs the first of some passes: over small pictures as many side by side as there are threads; large pictures keep
  /// all threads busy with their loops, and one pass at a time needs the memory of one. No result depends on it.
  private func runPasses(
    _ passes: ArraySlice<Int>, of block: [Architecture], update: Int
  ) throws -> [(pass: Pass, losses: [Float])] {
    func batch(of pass: Int) throws -> PanopticBatch {
      try batches.batch(share.batch(ofPass: pass, update: update))
    }
    var inputs = [try batch(of: passes.first!)]
    let width = inputs[0].images.count < PanopticNetwork.largeInput ? Parallel.threads : 1
    for pass in passes.dropFirst().prefix(width - 1) { inputs.append(try batch(of: pass)) }
    return SideBySide.map(inputs.count) { [network, seeds, inputs] i in
      let number = passes[passes.startIndex + i]
      let pass = Pass(mode: .training)
      var random = seeds.stream("update/\(update)/pass/\(number)/samples")
      let losses = network.losses(
        pass.constant(inputs[i].images), targets: inputs[i].targets, path: block[number], random: &random)
      pass.backward(from: losses.total)
      return (pass, losses.values)
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
