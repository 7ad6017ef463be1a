import Determinism
import Models
import NN
import Panoptic
import Search
import Tensors
import Testing
import Vision

@testable import Datasets
@testable import Stages

/// Training of a small supernet on synthetic images.
@Suite("PanopticTraining of a supernet")
struct PanopticTrainingTests {
  private static let seeds = Seeds(kind: "training-tests", seed: 1)

  private static var configuration: NetworkConfiguration { TinyNetwork.configuration }

  /// A random image of 64 × 64 pixels with two stuff classes and one object, which depends on the step.
  private static func batch(_ step: Int) -> PanopticBatch {
    var random = seeds.stream("batch/\(step)")
    let (x, y) = (random.below(32), random.below(32))
    let block = GroundTruthInstance(
      label: 1, box: Box(Float(x), Float(y), Float(x + 23), Float(y + 19)),
      mask: BinaryMask(width: 24, height: 20) { _, _ in true })
    return PanopticBatch(
      images: Tensor(shape: [1, 3, 64, 64]) { _ in Float(random.uniform(-100, 100)) },
      semanticLabels: (0..<64 * 64).map { UInt8($0 / 2048) },
      examples: [
        PanopticExample(
          image: PanopticImage(id: .number(step), fileName: "", width: 64, height: 64), width: 64, height: 64,
          isFlipped: false, instances: [block])
      ])
  }

  private func training(
    rate: Double = 0.02, _ change: (inout PanopticRecipe) -> Void = { _ in }
  ) -> PanopticTraining {
    let configuration = PanopticTrainingTests.configuration
    var recipe = PanopticRecipe(
      updates: 3, batch: 1, schedule: .cosine, baseRate: rate, warmup: 6, milestones: [], batchNormMomentum: 0.1)
    change(&recipe)
    return PanopticTraining(
      network: PanopticNetwork(
        configuration, thingClasses: 2, stuffClasses: 2, content: .supernet, batchNormMomentum: 0.1,
        seeds: PanopticTrainingTests.seeds),
      paths: .fairBlocks(configuration.searchSpace), recipe: recipe,
      batches: BatchStream { Prefetcher(steps: $0..<36) { PanopticTrainingTests.batch($0) } },
      seeds: PanopticTrainingTests.seeds)
  }

  private func isIdentical(_ a: StateDictionary, _ b: StateDictionary) -> Bool {
    a.entries.map(\.name) == b.entries.map(\.name)
      && zip(a.entries, b.entries).allSatisfy { $0.tensor.isIdentical(to: $1.tensor) }
  }

  /// Fidelity 12: the published program reads its blocks one row late.
  @Test("a shifted window has rows 1 to 11 of its block and row 0 of the next")
  func shiftedWindow() {
    let (aligned, shifted) = (training(), training { $0.window = .shifted })
    for update in 0..<3 {
      let (own, next) = (aligned.architectures(of: update), aligned.architectures(of: update + 1))
      #expect(own.count == 12 && shifted.architectures(of: update) == Array(own[1...]) + [next[0]])
    }
  }

  /// Paper, algorithm 1, with 4 operators of the backbone, 6 of the heads, 3 attention ratios.
  @Test("with period perLayer a layer is updated after as many paths as it has choices, shared parameters after twelve")
  func perLayer() throws {
    let training = training { $0.period = .perLayer }
    #expect(training.rhythm.segments == [0..<3, 3..<4, 4..<6, 6..<8, 8..<9, 9..<12])
    for (name, expected) in [
      ("body/stage1/0/choice2/expand/weight", [4, 8, 12]), ("mask/layer1/choice0/point/weight", [6, 12]),
      ("semantic/layer1/choice0/point/weight", [6, 12]),
      ("attention-to-stuff/0/choice1/hidden/weight", [3, 6, 9, 12]), ("pyramid/lateral2/weight", [12]),
      ("body/stem/weight", [12]),
    ] {
      let parameter = try #require(training.network.store.parameters.first { $0.name == name })
      let due = training.rhythm.segments.map(\.upperBound).filter { training.rhythm.isDue(parameter, afterPasses: $0) }
      #expect(due == expected, "\(name)")
    }
    // Updated in between, later paths run with other weights.
    _ = try training.step(0)
    let whole = self.training()
    _ = try whole.step(0)
    #expect(!isIdentical(training.state, whole.state))
  }

  @Test("summed gradients of norms are eight times the mean ones, and all others are unchanged")
  func normGradients() throws {
    func state(_ gradients: NormGradients) throws -> [String: Tensor] {
      let training = training {
        $0.weightDecay = 0
        $0.normGradients = gradients
      }
      _ = try training.step(0)
      return Dictionary(uniqueKeysWithValues: training.state.scoped("velocity/").entries.map { ($0.name, $0.tensor) })
    }
    let (mean, summed) = (try state(.mean), try state(.summedOverEight))
    #expect(mean.count == summed.count)
    var eightfold = 0
    for (name, tensor) in summed {
      let isNorm = name.hasPrefix("body/") && name.contains("/norm/")
      eightfold += isNorm ? 1 : 0
      // A power of two scales without rounding.
      let expected = try #require(mean[name]).array.map { isNorm ? 8 * $0 : $0 }
      #expect(tensor.array == expected, "\(name)")
    }
    #expect(eightfold > 100)
  }

  /// Fidelity 10.
  @Test("undivided biases move further by the rate divider of their layer, and weights are unchanged")
  func undividedBiases() throws {
    let (divided, undivided) = (training(), training { $0.biases = .undivided })
    let start = training().network.store.parameters.map(\.value)
    _ = try divided.step(0)
    _ = try undivided.step(0)
    var biases = 0
    for ((before, a), b) in zip(
      zip(start, divided.network.store.parameters), undivided.network.store.parameters)
    {
      guard a.role == .bias else {
        #expect(a.value.isIdentical(to: b.value), "\(a.name)")
        continue
      }
      biases += 1
      let divider = Float(divided.rhythm.rateDivider(of: a))
      for i in 0..<before.count {
        let (short, long) = (a.value.array[i] - before.array[i], b.value.array[i] - before.array[i])
        // These are differences of rounded values.
        let bound = 4 * divider * max(abs(before.array[i]), abs(b.value.array[i])) * Float.ulpOfOne
        #expect(abs(long - divider * short) <= bound, "\(a.name): \(short), \(long)")
      }
    }
    #expect(biases > 100)
  }

  /// A strictly fair window includes every choice, so after one update every parameter has a velocity.
  @Test("one update changes every parameter of the supernet")
  func fairWindow() throws {
    let training = training()
    _ = try training.step(0)
    let velocities = training.state.scoped("velocity/").entries.map(\.name)
    #expect(velocities == training.network.store.parameters.map(\.name))
    for buffer in training.network.store.buffers where buffer.name.hasSuffix("running-mean") {
      #expect(buffer.value.array.contains { $0 != 0 }, "\(buffer.name)")
    }
  }

  @Test("concurrent and sequential passes give the same bits")
  func threads() throws {
    let states = try [1, 2, 3].map { threads in
      try Parallel.withThreads(threads) {
        let training = training()
        for update in 0..<2 { _ = try training.step(update) }
        return training.state
      }
    }
    #expect(isIdentical(states[0], states[1]))
    #expect(isIdentical(states[0], states[2]))
  }

  @Test("a restored training continues with the same bits")
  func restored() throws {
    let straight = training()
    for update in 0..<3 { _ = try straight.step(update) }
    let first = training()
    _ = try first.step(0)
    let second = training()
    try second.restore(first.state)
    for update in 1..<3 { _ = try second.step(update) }
    #expect(isIdentical(straight.state, second.state))
  }

  @Test("a diverged training stops with the update and the name of the loss (numerics 13)")
  func notFinite() throws {
    let training = training()
    let name = "proposals/objectness/bias"
    let broken = training.state.entries.map { entry in
      (entry.name, entry.name == name ? Tensor(repeating: .nan, shape: entry.tensor.shape) : entry.tensor)
    }
    try training.restore(StateDictionary(broken))
    let error = #expect(throws: StageError.self) { _ = try training.step(0) }
    #expect(error?.description.hasPrefix("step 1: the objectness loss is not finite") == true)
    // Nothing was updated.
    #expect(training.state.scoped("velocity/").entries.isEmpty)
  }
}
