import Autograd
import Determinism
import NN
import Tensors
import Testing
import Vision

@testable import Models

@Suite("Heads, regions and proposals")
struct HeadTests {
  private func normal(_ shape: Shape, _ name: String) -> Tensor {
    var random = Tiny.seeds.stream(name)
    return Tensor(shape: shape) { _ in Float(random.normal()) }
  }

  @Test(
    "every head operator keeps the size, also of small odd maps, and passes gradients",
    arguments: HeadOperator.published
  )
  func sizes(_ op: HeadOperator) throws {
    let store = ParameterStore(seeds: Tiny.seeds)
    let layer = op.makeLayer(store.root, inputs: 4, outputs: 6)
    for (height, width) in [(7, 5), (1, 3), (1, 1)] {
      let pass = Pass(mode: .training)
      let x = pass.input(normal([2, 4, height, width], "x"))
      let y = layer(x)
      #expect(y.shape == [2, 6, height, width])
      pass.backward(from: y, gradient: normal(y.shape, "y"))
      #expect(try #require(pass.takeGradient(of: x)).shape == x.shape)
      for parameter in store.parameters { #expect(pass.takeGradient(of: parameter) != nil, "\(parameter.name)") }
    }
  }

  /// The published deformable operator has no rule for this (method 3.7).
  @Test("every searched layer accepts no regions, forwards and backwards", arguments: HeadOperator.published)
  func noRegions(_ op: HeadOperator) throws {
    let store = ParameterStore(seeds: Tiny.seeds)
    let layer = HeadLayer(store.root, inputs: 4, outputs: 8, normGroups: 4, choice: op.number)
    let pass = Pass(mode: .training)
    let x = pass.input(Tensor(zeros: [0, 4, 6, 6]))
    let y = layer(x, choice: op.number)
    #expect(y.shape == [0, 8, 6, 6])
    pass.backward(from: y, gradient: Tensor(zeros: y.shape))
    #expect(try #require(pass.takeGradient(of: x)).shape == [0, 4, 6, 6])
    for parameter in store.parameters {
      let gradient = try #require(pass.takeGradient(of: parameter), "\(parameter.name)")
      #expect(gradient.array.allSatisfy { $0 == 0 }, "\(parameter.name)")
    }
  }

  @Test("a searched layer is operator, group norm, ReLU: no negative values, groups of mean about the ReLU's")
  func headLayer() {
    let store = ParameterStore(seeds: Tiny.seeds)
    let layer = HeadLayer(store.root, inputs: 4, outputs: 8, normGroups: 4, choice: nil)
    let pass = Pass(mode: .evaluation)
    let x = pass.constant(normal([1, 4, 16, 16], "x"))
    for op in HeadOperator.published {
      let y = layer(x, choice: op.number).value.array
      #expect(y.allSatisfy { $0 >= 0 })
      // The positive half of a standard normal variable has the mean 0.4.
      let mean = y.reduce(0, +) / Float(y.count)
      #expect(mean > 0.3 && mean < 0.5, "\(op.name): \(mean)")
    }
  }

  @Test("regions are pooled level by level, inside a level as given")
  func pooledOrder() {
    let rule = LevelRule(canonicalScale: 56, canonicalLevel: 4)
    let sides: [Float] = [56, 13, 200, 57, 27, 14]
    let regions = sides.map { Region(image: 0, box: Box(0, 0, $0 - 1, $0 - 1)) }
    #expect(regions.map { rule.level(of: $0.box) } == [4, 2, 5, 4, 2, 2])
    let order = PooledOrder(regions, rule: rule)
    #expect(order.counts == [3, 0, 2, 1])
    #expect(order.order == [1, 4, 5, 0, 3, 2])
  }

  @Test("pooled regions come from their own image and level")
  func pooling() {
    let pass = Pass(mode: .evaluation)
    // Every level of every image holds one constant: 10 · image + level.
    let levels = (2...6).map { level in
      let side = 64 >> level
      return pass.constant(
        Tensor(shape: [2, 8, max(1, side), max(1, side)]) { i in
          Float(i / (8 * max(1, side) * max(1, side)) * 10 + level)
        })
    }
    let sides: [(image: Int, side: Float)] = [(0, 56), (1, 13), (1, 60), (0, 27), (0, 14)]
    let regions = sides.map { Region(image: $0.image, box: Box(0, 0, $0.side - 1, $0.side - 1)) }
    let pooler = RegionPooler(Tiny.configuration)
    let pooled = pooler.pool(regions, from: levels, size: 2)
    #expect(pooled.features.shape == [5, 8, 2, 2])
    for (row, i) in pooled.order.enumerated() {
      let level = pooler.rule.level(of: regions[i].box)
      let values = pooled.features.value.rows(row..<row + 1).array
      #expect(values.allSatisfy { $0 == Float(10 * regions[i].image + level) }, "region \(i)")
    }
    #expect(pooler.pool([], from: levels, size: 2).features.shape == [0, 8, 2, 2])
  }

  /// Two images, one level of 2 × 3 cells. Outputs are channel-major, anchors cell by cell.
  @Test("proposals are the best anchors of their image, moved and clipped, in the order of their scores")
  func proposals() {
    let store = ParameterStore(seeds: nil)
    let network = RegionProposalNetwork(store.root, Tiny.configuration)
    let pass = Pass(mode: .evaluation)
    let anchors = AnchorGenerator(
      levels: [.init(stride: 16, sizes: [32])], ratios: Tiny.configuration.anchors.ratios, convention: .legacy
    ).anchors(level: 0, gridWidth: 3, gridHeight: 2)
    var objectness = Tensor(repeating: -5, shape: [2, 3, 2, 3])
    var deltas = Tensor(zeros: [2, 12, 2, 3])
    func score(_ image: Int, ratio: Int, cell: Int, _ value: Float) {
      objectness.withMutableElements { $0[(image * 3 + ratio) * 6 + cell] = value }
    }
    score(1, ratio: 1, cell: 0, 1)
    score(1, ratio: 2, cell: 5, 3)
    score(1, ratio: 0, cell: 2, .nan)
    score(0, ratio: 0, cell: 1, 9)
    // The second best moves right by a quarter of its width.
    deltas.withMutableElements { $0[((1 * 3 + 1) * 4 + 0) * 6 + 0] = 0.25 }
    let level = RegionProposalNetwork.Level(
      objectness: pass.constant(objectness), deltas: pass.constant(deltas), anchors: anchors)
    let found = network.proposals([level], image: 1, width: 44, height: 30, preNMS: 2, postNMS: 2)
    #expect(found.scores == [3, 1])
    let (best, second) = (anchors[5 * 3 + 2], anchors[0 * 3 + 1])
    let shift = Float(0.25 * second.width())
    let moved = Box(second.x0 + shift, second.y0, second.x1 + shift, second.y1)
    #expect(found.boxes == [best.clipped(width: 44, height: 30), moved.clipped(width: 44, height: 30)])
    #expect(found.best(1).scores == [3])
  }

  @Test("the limit after suppression counts over the images of a pass, or over some of them")
  func limit() {
    func box(_ x: Int) -> Box { Box(Float(x), 0, Float(x + 1), 1) }
    let found = [[9, 8, 1], [7, 3], [6, 5, 4]].map { scores in
      Proposals(boxes: scores.map(box), scores: scores.map(Float.init))
    }
    var configuration = ProposalConfiguration()
    configuration.postNMSTrain = 3
    #expect(configuration.limited(found) == [[box(9), box(8)], [box(7)], []])
    configuration.imagesPerLimit = 2
    #expect(configuration.limited(found) == [[box(9), box(8)], [box(7)], [box(6), box(5), box(4)]])
    configuration.imagesPerLimit = 1
    #expect(configuration.limited(found) == found.map(\.boxes))
    #expect(configuration.limited([]) == [])
  }

  /// ReLU turns what is not a number into zero (numerics 7), so a loss alone need not show it: gradients do.
  @Test(
    "a diverged network is no trap: a loss or a gradient that is not finite tells (numerics 13)",
    arguments: ["proposals/objectness/bias", "proposals/deltas/bias", "body/stem/bias", "pyramid/lateral3/weight"])
  func diverged(_ name: String) throws {
    let network = Tiny.network()
    let parameter = try #require(network.store.parameters.first { $0.name == name })
    parameter.value = Tensor(repeating: .nan, shape: parameter.value.shape)
    for targets in [Tiny.targets, Tiny.targets.map { empty($0) }] {
      // Without objects no box is compared, so deltas leave no trace.
      if name == "proposals/deltas/bias" && targets[0].instances.isEmpty { continue }
      let pass = Pass(mode: .training)
      var random = Tiny.seeds.stream("diverged")
      let losses = network.losses(pass.constant(Tiny.images), targets: targets, path: Tiny.path, random: &random)
      pass.backward(from: losses.total)
      var window = GradientWindow(network.store.parameters)
      window.add(pass)
      let broken = window.sums.contains { $0.flatMap { Elementwise.firstNonFinite($0) } != nil }
      #expect(broken || !losses.total.value.item.isFinite)
    }
  }

  private func empty(_ targets: ImageTargets) -> ImageTargets {
    ImageTargets(width: targets.width, height: targets.height, semantic: targets.semantic, instances: [])
  }
}
