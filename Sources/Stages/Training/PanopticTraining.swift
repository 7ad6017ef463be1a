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
  /// Register, rows 10 to 13.
  var window = WindowAlignment.recommended
  var period = UpdatePeriod.recommended
  var biases = BiasDivision.recommended
  var normGradients = NormGradients.recommended
}

/// Which paths a window of the supernet trains.
enum WindowAlignment: String, Switch {
  /// One strictly fair block.
  case aligned
  /// The published code reads blocks one row late: rows 1 to 11 of a block and row 0 of the next one.
  case shifted
  static let recommended = WindowAlignment.aligned
}

/// After how many paths of a window parameters move.
enum UpdatePeriod: String, Switch {
  /// After all of them.
  case window
  /// After as many as the layer has choices, as the paper says; what all paths share, after all.
  case perLayer = "per-layer"
  static let recommended = UpdatePeriod.window
}

/// Whether summed gradients of biases in a window are divided like those of weights.
enum BiasDivision: String, Switch {
  case divided
  /// The published code sets the rate of biases last, so that the division is lost.
  case undivided
  static let recommended = BiasDivision.divided
}

/// Gradients of γ and β of batch norm on several GPUs.
enum NormGradients: String, Switch {
  case mean
  /// The published cross-GPU normalisation sums them over its eight GPUs.
  case summedOverEight = "summed-over-eight"
  static let recommended = NormGradients.mean
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
      let divider = PanopticTraining.rateDivider(parameter.name, paths: paths, period: recipe.period)
      return switch parameter.role {
      case .weight, .scale: SGD.Rule(rateFactor: 1 / divider, weightDecay: recipe.weightDecay)
      case .bias:
        SGD.Rule(
          rateFactor: recipe.biasRateFactor / (recipe.biases == .divided ? divider : 1), weightDecay: 0)
      }
    }
  }

  /// Summed gradients of a window become a mean over the passes that used a parameter (spec 5.5): a choice is used
  /// block / choices times, everything shared in every pass. Biases are divided alike (register, row 10).
  static func rateDivider(_ name: String, paths: Paths, period: UpdatePeriod = .window) -> Double {
    guard case .fairBlocks(let space) = paths else { return 1 }
    let choices = choices(of: name, in: space)
    // A layer that moves after as many passes as it has choices has used each of them once.
    if period == .perLayer && choices > 1 { return 1 }
    return Double(space.blockLength) / Double(choices)
  }

  /// Choices of the layer that a parameter belongs to; 1 for what all paths share.
  private static func choices(of name: String, in space: SearchSpace) -> Int {
    if name.hasPrefix("body/stage") { return space.backboneChoices }
    if name.hasPrefix("mask/layer") || name.hasPrefix("semantic/layer") { return space.headChoices }
    return name.hasPrefix("attention-") ? space.attentionChoices : 1
  }

  /// After how many passes of a window a parameter moves.
  private func period(of name: String) -> Int {
    guard recipe.period == .perLayer, case .fairBlocks(let space) = paths else { return paths.count }
    let choices = PanopticTraining.choices(of: name, in: space)
    return choices > 1 ? choices : space.blockLength
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
      if next < block.count && next == nextUpdate(after: next - 1) {
        try update(&window, afterPasses: next, of: index)
      }
    }
    if case .fixed(_, let replicas) = paths { window.average(over: replicas) }
    try update(&window, afterPasses: block.count, of: index)
    let parts = zip(PanopticTraining.shortNames, sums).map { "\($0) \(($1 / Float(block.count)).text(digits: 2))" }
    return "loss \((total / Float(block.count)).text(digits: 3)) (\(parts.joined(separator: ", ")))"
  }

  /// The pass of a window after which parameters move next.
  func nextUpdate(after pass: Int) -> Int {
    guard recipe.period == .perLayer, case .fairBlocks(let space) = paths else { return paths.count }
    return Set(space.choicesPerLayer).map { (pass / $0 + 1) * $0 }.min() ?? paths.count
  }

  /// Moves the parameters whose period ends here.
  private func update(_ window: inout GradientWindow, afterPasses passes: Int, of index: Int) throws {
    try window.requireFinite(step: index)
    if recipe.normGradients == .summedOverEight {
      window.scale(by: 8) { $0.name.hasPrefix("body/") && $0.name.contains("/norm/") && isDue($0.name, passes) }
    }
    optimizer.step(
      gradients: window.take { isDue($0.name, passes) },
      rate: schedule.rate(at: index * paths.iterations + (paths.iterations > 1 ? passes : 1)))
  }

  /// Whether a parameter moves after so many passes of a window.
  func isDue(_ name: String, _ passes: Int) -> Bool { passes % period(of: name) == 0 }

  /// The next passes of a block: over small pictures as many side by side as there are threads; large pictures keep all
  /// threads busy with their loops, and one pass at a time needs the memory of one. No result depends on it.
  private func runPasses(
    from first: Int, of block: [Architecture], update: Int
  ) throws -> [(pass: Pass, losses: PanopticLosses)] {
    var inputs = [try batches.batch(update * paths.count + first)]
    let width = inputs[0].images.count < PanopticNetwork.largeInput ? Parallel.threads : 1
    while inputs.count < width, first + inputs.count < nextUpdate(after: first) {
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
