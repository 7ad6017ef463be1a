import Autograd
import Determinism
import NN
import Search
import Tensors
import Testing

@testable import Models

@Suite("The panoptic network")
struct NetworkTests {
  /// Method 13, for a picture of 1088 × 800.
  @Test("levels have the published sizes, semantic scores that of the picture")
  func featureSizes() {
    let path = Tiny.path
    let network = Tiny.network()
    let pass = Pass(mode: .evaluation)
    let images = pass.constant(Tensor(zeros: [1, 3, 800, 1088]))
    let stages = network.backbone(images, path: path.backbone)
    #expect(stages.map(\.shape) == [[1, 8, 200, 272], [1, 16, 100, 136], [1, 24, 50, 68], [1, 32, 25, 34]])
    let features = network.features(images, path: path)
    #expect(
      features.levels.map(\.shape) == [
        [1, 8, 200, 272], [1, 8, 100, 136], [1, 8, 50, 68], [1, 8, 25, 34], [1, 8, 13, 17],
      ])
    #expect(features.semanticScores.shape == [1, 3, 200, 272])
    #expect(network.proposals(features.proposalLevels).map(\.anchors.count) == [163_200, 40_800, 10_200, 2_550, 663])
  }

  /// Method 13: 1 - sigmoid(0) = 1/2.
  @Test("attention with zero weights scales by 1.5, exactly")
  func zeroAttention() {
    let pass = Pass(mode: .evaluation)
    let layer = AttentionLayer(ParameterStore(seeds: nil).root, inputs: 6, outputs: 4, ratios: [4, 8, 6], choice: nil)
    var random = Tiny.seeds.stream("attention")
    let z = pass.constant(Tensor(shape: [2, 6]) { _ in Float(random.normal()) })
    let x = pass.constant(Tensor(shape: [2, 4, 3, 3]) { _ in Float(random.normal()) })
    for choice in 0..<3 {
      let factors = layer(z, choice: choice)
      #expect(factors.value.array == [Float](repeating: 1.5, count: 8))
      let scaled = scaleChannels(x, by: factors).value
      #expect(scaled.isIdentical(to: Tensor(shape: x.shape) { x.value[flat: $0] * 1.5 }))
    }
  }

  @Test("attention weights lie between 1 and 2")
  func attentionRange() {
    let pass = Pass(mode: .evaluation)
    let layer = AttentionLayer(ParameterStore(seeds: Tiny.seeds).root, inputs: 6, outputs: 8, ratios: [2], choice: 0)
    let z = pass.constant(Tensor([3, -200, 40, 7, -1, 100, 0, 0, 0, 0, 0, 0], shape: [2, 6]))
    let factors = layer(z, choice: 0).value.array
    #expect(factors.allSatisfy { $0 >= 1 && $0 <= 2 })
    #expect(Set(factors).count > 8)
  }

  /// A fixed network holds exactly what its path uses.
  @Test("a supernet gives gradients to what the path uses, and to nothing else")
  func gradientReach() {
    let supernet = Tiny.network(.supernet)
    let fixed = Tiny.network()
    let (pass, _) = Tiny.run(supernet)
    let reached = supernet.store.parameters.filter { pass.takeGradient(of: $0) != nil }.map(\.name)
    #expect(reached == fixed.store.parameters.map(\.name))
    #expect(reached.count < supernet.store.parameters.count)
    let (fixedPass, _) = Tiny.run(fixed)
    for parameter in fixed.store.parameters {
      #expect(fixedPass.takeGradient(of: parameter) != nil, "\(parameter.name)")
    }
  }

  @Test("a supernet and a fixed network of its path agree in every bit")
  func supernetEqualsFixed() throws {
    let supernet = Tiny.network(.supernet)
    let fixed = Tiny.network(seeds: nil)
    try fixed.store.load(supernet.store.state)
    // Values depend on seed and name alone, so drawing them gives the same network.
    #expect(fixed.store.state.digest == Tiny.network().store.state.digest)

    let (superPass, superLosses) = Tiny.run(supernet)
    let (fixedPass, fixedLosses) = Tiny.run(fixed)
    #expect(superLosses.named.map(\.value) == fixedLosses.named.map(\.value))
    let byName = Dictionary(uniqueKeysWithValues: supernet.store.parameters.map { ($0.name, $0) })
    for parameter in fixed.store.parameters {
      let ours = try #require(fixedPass.takeGradient(of: parameter), "\(parameter.name)")
      let theirs = try #require(superPass.takeGradient(of: byName[parameter.name]!), "\(parameter.name)")
      #expect(ours.isIdentical(to: theirs), "\(parameter.name)")
    }
    superPass.commitStatistics()
    fixedPass.commitStatistics()
    let superState = Dictionary(uniqueKeysWithValues: supernet.store.state.entries.map { ($0.name, $0.tensor) })
    for entry in fixed.store.state.entries { #expect(entry.tensor.isIdentical(to: superState[entry.name]!)) }

    let pass = Pass(mode: .evaluation)
    let image = pass.constant(Tiny.images.rows(0..<1))
    let a = supernet.predict(image, width: 64, height: 64, path: Tiny.path)
    let b = fixed.predict(image, width: 64, height: 64, path: Tiny.path)
    #expect(a.semantic == b.semantic)
    #expect(a.detections.map(\.score) == b.detections.map(\.score))
    #expect(a.detections.map(\.box) == b.detections.map(\.box))
    #expect(a.detections.map(\.mask) == b.detections.map(\.mask))
  }

  @Test("without attention the network trains all the same, and has no attention parameters")
  func withoutAttention() {
    let path = Architecture(backbone: Tiny.path.backbone, head: Tiny.path.head, inter: [])
    let network = Tiny.network(.fixed(path), attention: false)
    #expect(!network.store.parameters.contains { $0.name.hasPrefix("attention") })
    let (pass, losses) = Tiny.run(network, path: path)
    #expect(losses.total.value.item.isFinite)
    for parameter in network.store.parameters {
      #expect(pass.takeGradient(of: parameter) != nil, "\(parameter.name)")
    }
  }

  @Test("the total is the sum of the losses, the semantic one weighted")
  func total() {
    let (_, losses) = Tiny.run(Tiny.network())
    let named = losses.named
    #expect(named.map(\.name) == ["objectness", "proposal box", "class", "box", "mask", "semantic"])
    #expect(named.allSatisfy { $0.value.isFinite && $0.value > 0 })
    let sum = named.dropLast().reduce(Float(0)) { $0 + $1.value } + 0.3 * named.last!.value
    #expect(abs(losses.total.value.item - sum) < 1e-5 * sum)
    // Scores start near zero, so the first losses are close to those of guessing.
    #expect(abs(losses.objectness.value.item - 0.6931) < 0.05)
  }

  @Test("a picture without things has no mask loss, and trains on")
  func withoutThings() {
    let network = Tiny.network()
    let pass = Pass(mode: .training)
    var random = Tiny.seeds.stream("no-things")
    let empty = Tiny.targets.map {
      ImageTargets(width: $0.width, height: $0.height, semantic: $0.semantic, instances: [])
    }
    let losses = network.losses(pass.constant(Tiny.images), targets: empty, path: Tiny.path, random: &random)
    #expect(losses.mask.value.item == 0)
    #expect(losses.box.value.item == 0)
    #expect(losses.named.allSatisfy { $0.value.isFinite })
    pass.backward(from: losses.total)
    for parameter in network.store.parameters where !parameter.name.hasPrefix("mask/") {
      #expect(pass.takeGradient(of: parameter) != nil, "\(parameter.name)")
    }
  }

  @Test("recalibration forgets all statistics, then gathers those of the path alone")
  func recalibration() throws {
    let network = Tiny.network(.supernet)
    let (trained, _) = Tiny.run(network)
    trained.commitStatistics()
    let before = network.store.parameters.map(\.value)
    network.backbone.resetStatistics()
    for buffer in network.store.buffers {
      let expected: Float = buffer.name.hasSuffix("running-mean") ? 0 : 1
      #expect(buffer.value.array.allSatisfy { $0 == expected }, "\(buffer.name)")
    }
    let pass = Pass(mode: .recalibration)
    _ = network.backbone(pass.constant(Tiny.images), path: Tiny.path.backbone)
    pass.commitStatistics()
    let moved = network.store.buffers.filter { buffer in
      let start: Float = buffer.name.hasSuffix("running-mean") ? 0 : 1
      return buffer.value.array.contains { $0 != start }
    }
    #expect(moved.map(\.name) == Tiny.network().store.buffers.map(\.name))
    for (parameter, value) in zip(network.store.parameters, before) {
      #expect(parameter.value.isIdentical(to: value), "\(parameter.name)")
    }
    // Batch norm is in the backbone alone: the detector behind it has no statistics to gather (method 1.5).
    #expect(network.store.buffers.allSatisfy { $0.name.hasPrefix("body/") })
  }

  @Test("windows of paths use every choice of every layer equally often")
  func fairness() {
    let space = Tiny.configuration.searchSpace
    var random = Tiny.seeds.stream("paths")
    for _ in 0..<5 {
      let block = FairSampler.block(in: space, using: &random)
      #expect(block.count == 12)
      for (layer, choices) in space.choicesPerLayer.enumerated() {
        for choice in 0..<choices {
          #expect(block.count { $0.choices[layer] == choice } == 12 / choices, "layer \(layer), choice \(choice)")
        }
      }
    }
  }
}
