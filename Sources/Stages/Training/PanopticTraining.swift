import Autograd
import Datasets
import Determinism
import Models
import NN
import Search
import Tensors

/// How a panoptic network is trained (spec 5 and 8). Defaults: the retraining of one architecture.
struct PanopticRecipe: Codable, Hashable, Sendable {
  /// Optimiser updates.
  var updates = 90_000
  /// Images of one forward and backward pass.
  var batch = 16
  /// Passes of one update of one architecture, each over a batch of its own with its own batch statistics; their
  /// gradients are averaged, and they run side by side. The published program has one (cross-GPU) set of statistics.
  var replicas = 1
  var schedule = Schedule.Shape.step
  var baseRate = 0.02
  /// Iterations (passes) of linear warm-up from 0.1 times the rate.
  var warmup = 500
  /// Iterations at which the step schedule divides by ten.
  var milestones = [60_000, 80_000]
  var momentum = 0.9
  var weightDecay = 1e-4
  /// Limit of gradients relative to their parameters (see `SGD`); the paper has none, which is 0.
  var clipping = 0.0
  /// Biases and β move this much faster and are not decayed (spec 5.5, 8.1).
  var biasRateFactor = 2.0
  var batchNormMomentum: Double = 0.01
}

/// Trains a panoptic network, update after update, each from one pass or from a window of passes.
///
/// A window holds the strictly fair block of paths of a supernet (spec 5.3, 5.4): every choice of every layer is used
/// equally often between two updates. Passes run side by side; gradients and statistics fold in path order.
final class PanopticTraining: TrainingProcess {
  let network: PanopticNetwork
  private let recipe: PanopticRecipe
  private let batches: BatchStream<PanopticBatch>
  private let optimizer: SGD
  private let seeds: Seeds
  private let schedule: Schedule
  private let paths: Paths

  /// What runs in one update.
  enum Paths {
    /// Passes of one architecture.
    case fixed(Architecture, replicas: Int)
    /// A fair block of paths, drawn anew for every update.
    case fairBlocks(SearchSpace)

    var count: Int {
      switch self {
      case .fixed(_, let replicas): replicas
      case .fairBlocks(let space): space.blockLength
      }
    }

    /// What an update counts for in the schedule: its window of iterations in a supernet, one otherwise (spec 5.1).
    var iterations: Int {
      if case .fairBlocks(let space) = self { space.blockLength } else { 1 }
    }
  }

  init(
    network: PanopticNetwork, paths: Paths, recipe: PanopticRecipe,
    batches: BatchStream<PanopticBatch>, seeds: Seeds
  ) {
    self.network = network
    self.paths = paths
    self.recipe = recipe
    self.batches = batches
    self.seeds = seeds
    schedule = Schedule(
      recipe.schedule, base: recipe.baseRate, total: recipe.updates * paths.iterations, warmup: recipe.warmup,
      milestones: recipe.milestones)
    optimizer = SGD(network.store.parameters, momentum: recipe.momentum, clipping: recipe.clipping) { parameter in
      let divider = PanopticTraining.rateDivider(parameter.name, paths: paths)
      return switch parameter.role {
      case .weight, .scale: SGD.Rule(rateFactor: 1 / divider, weightDecay: recipe.weightDecay)
      case .bias: SGD.Rule(rateFactor: recipe.biasRateFactor / divider, weightDecay: 0)
      }
    }
  }

  /// Summed gradients of a window become a mean over the passes that used a parameter (spec 5.5): a choice is used
  /// block / choices times, everything shared in every pass. Biases are divided alike (register, row 10).
  static func rateDivider(_ name: String, paths: Paths) -> Double {
    guard case .fairBlocks(let space) = paths else { return 1 }
    let block = Double(space.blockLength)
    let choices =
      if name.hasPrefix("body/stage") {
        space.backboneChoices
      } else if name.hasPrefix("mask/layer") || name.hasPrefix("semantic/layer") {
        space.headChoices
      } else if name.hasPrefix("attention-") {
        space.attentionChoices
      } else {
        1
      }
    return block / Double(choices)
  }

  /// The parts of the loss for progress lines, in the order of `PanopticLosses.named`.
  private static let shortNames = ["rpn", "rpn box", "class", "box", "mask", "semantic"]

  var steps: Int { recipe.updates }
  var unit: String { "updates" }

  func step(_ index: Int) throws -> String {
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
          throw TrainingError.notFinite("the \(loss.name) loss", step: index)
        }
        window.add(result.pass)
        result.pass.commitStatistics()
        total += result.losses.total.value.item
        for (i, loss) in named.enumerated() { sums[i] += loss.value }
      }
      next += results.count
    }
    if case .fixed(_, let replicas) = paths { window.average(over: replicas) }
    try window.requireFinite(step: index)
    optimizer.step(gradients: window.sums, rate: schedule.rate(at: (index + 1) * paths.iterations))
    let parts = zip(PanopticTraining.shortNames, sums).map { "\($0) \(($1 / Float(block.count)).text(digits: 2))" }
    return "loss \((total / Float(block.count)).text(digits: 3)) (\(parts.joined(separator: ", ")))"
  }

  /// The next passes of a block: over small pictures as many side by side as there are threads; large pictures keep all
  /// threads busy with their loops, and one pass at a time needs the memory of one. No result depends on it.
  private func runPasses(
    from first: Int, of block: [Architecture], update: Int
  ) throws -> [(pass: Pass, losses: PanopticLosses)] {
    var inputs = [try batches.batch(update * paths.count + first)]
    let width = inputs[0].images.count < PanopticTraining.largeInput ? Parallel.threads : 1
    while inputs.count < width, first + inputs.count < block.count {
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

  /// Values of a batch of pictures, as many as four of 256×256 in three channels have, from which a pass runs alone.
  private static let largeInput = 3 * 256 * 256 * 4

  private func architectures(of update: Int) -> [Architecture] {
    switch paths {
    case .fixed(let architecture, let replicas): return Array(repeating: architecture, count: replicas)
    case .fairBlocks(let space):
      var random = seeds.stream("update/\(update)/paths")
      return FairSampler.block(in: space, using: &random).map { Architecture($0, in: space) }
    }
  }

  var state: StateDictionary { network.store.state.appending(optimizer.state) }

  func restore(_ state: StateDictionary) throws {
    try network.store.load(state)
    optimizer.load(state)
  }
}
