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

/// The training process of the supernet on one made-up picture, with a network of few channels.
@Suite("Training of a supernet in windows of paths")
struct PanopticTrainingTests {
  private static let seeds = Seeds(kind: "training-tests", seed: 1)

  private static var configuration: NetworkConfiguration {
    var configuration = NetworkConfiguration(
      body: BodyConfiguration(
        stemChannels: 2, stageChannels: [4, 8, 12, 16], stageBlocks: [1, 1, 1, 1], classifierChannels: 8))
    configuration.pyramidChannels = 4
    configuration.normGroups = 2
    configuration.anchors.sizes = [8, 16, 32, 48, 64]
    configuration.boxHead.hidden = 8
    configuration.boxHead.normGroups = 2
    configuration.boxHead.batchPerImage = 8
    configuration.maskHead.pooledSize = 4
    configuration.maskHead.channels = 4
    configuration.maskHead.layers = 2
    configuration.semantic.channels = 4
    configuration.semantic.layers = 1
    configuration.levelRule.canonicalScale = 56
    return configuration
  }

  /// A picture of 64 × 64 pixels, two stuff classes and one block; its values depend on the step.
  private static func batch(_ step: Int) -> PanopticBatch {
    var random = seeds.stream("batch/\(step)")
    let (x, y) = (random.below(32), random.below(32))
    let block = PanopticExample.Instance(
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

  @Test("accidents of the published program change the bits, each in its own way")
  func switches() throws {
    func state(_ change: (inout PanopticRecipe) -> Void) throws -> StateDictionary {
      let training = training(change)
      _ = try training.step(0)
      return training.state
    }
    let states = [
      try state { _ in }, try state { $0.window = .shifted }, try state { $0.period = .perLayer },
      try state { $0.biases = .undivided }, try state { $0.normGradients = .summedOverEight },
    ]
    for (i, a) in states.enumerated() { for b in states[..<i] { #expect(!isIdentical(a, b), "\(i)") } }
    for other in states.dropFirst(2) {
      // Names of velocities: everything moves in all of them.
      #expect(other.entries.map(\.name) == states[0].entries.map(\.name))
    }
  }

  @Test("rates are divided so that sums over a window become means")
  func dividers() {
    let paths = PanopticTraining.Paths.fairBlocks(PanopticTrainingTests.configuration.searchSpace)
    for (name, whole, perLayer) in [
      ("body/stage1/0/choice2/expand/weight", 3.0, 1.0), ("mask/layer1/choice0/point/weight", 2, 1),
      ("attention-to-stuff/0/choice1/hidden/weight", 4, 1), ("pyramid/lateral2/weight", 12, 12),
    ] {
      #expect(PanopticTraining.rateDivider(name, paths: paths) == whole, "\(name)")
      #expect(PanopticTraining.rateDivider(name, paths: paths, period: .perLayer) == perLayer, "\(name)")
    }
  }

  /// A strictly fair window leaves no choice out, so after one update everything has a velocity.
  @Test("one update moves every parameter of the supernet")
  func fairWindow() throws {
    let training = training()
    _ = try training.step(0)
    let velocities = training.state.scoped("velocity/").entries.map(\.name)
    #expect(velocities == training.network.store.parameters.map(\.name))
    for buffer in training.network.store.buffers where buffer.name.hasSuffix("running-mean") {
      #expect(buffer.value.array.contains { $0 != 0 }, "\(buffer.name)")
    }
  }

  @Test("passes side by side or one after the other give the same bits")
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

  @Test("a restored training goes on with the same bits")
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

  @Test("a diverged training stops with the update and the name of what broke (numerics rule 13)")
  func notFinite() throws {
    let training = training()
    let name = "proposals/objectness/bias"
    let broken = training.state.entries.map { entry in
      (entry.name, entry.name == name ? Tensor(repeating: .nan, shape: entry.tensor.shape) : entry.tensor)
    }
    try training.restore(StateDictionary(broken))
    let error = #expect(throws: TrainingError.self) { _ = try training.step(0) }
    #expect(error?.description.hasPrefix("step 1: the objectness loss is not finite") == true)
    // Nothing was updated.
    #expect(training.state.scoped("velocity/").entries.isEmpty)
  }
}
