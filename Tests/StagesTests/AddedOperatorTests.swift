import Autograd
import Determinism
import Models
import NN
import PipelineFiles
import Search
import Tensors
import Testing
import Vision

@testable import Pipelines
@testable import Stages

/// Operators that a program adds to those of the paper: each is one file (`FixtureOperators.swift`) and one word of the
/// line that makes the catalog.
@Suite("Operators that are added")
struct AddedOperatorTests {
  private static let catalog = NetworkCatalog.published.adding(backbone: [.dense3x3], heads: [.pointwise])

  private static let network: NetworkConfiguration = {
    var network = TinyNetwork.configuration
    network.maskHead.layers = 4
    network.semantic.layers = 3
    network.search(catalog)
    return network
  }()

  /// The new operators in every layer.
  private static let architecture = Architecture(
    backbone: [4, 4, 4, 4], head: Array(repeating: 6, count: 7), inter: Array(repeating: 0, count: 9))

  private static func built(_ content: NetworkContent) -> PanopticNetwork {
    PanopticNetwork(
      network, thingClasses: 2, stuffClasses: 2, content: content, batchNormMomentum: 0.1,
      seeds: Seeds(kind: "test", seed: 1))
  }

  @Test("are searched: the space, its fair windows and the supernet have them")
  func searched() throws {
    let space = Self.network.searchSpace
    #expect(space.choices(of: .backbone) == 5 && space.choices(of: .head) == 7 && space.blockLength == 105)
    try Self.network.validate(Self.architecture)
    let network = Self.built(.supernet)
    #expect(network.store.parameters.contains { $0.name == "body/stage1/0/choice4/spatial/weight" })
    let weight = try #require(network.store.parameters.first { $0.name == "mask/layer2/choice6/weight" })
    #expect(weight.layer?.description == "mask layer 2")
    let rhythm = UpdateRhythm(.fairBlocks(space), layers: Self.network.searchedLayers, period: .window)
    #expect(rhythm.rateDivider(of: weight) == 15)
  }

  @Test("learn: a step of training moves them and no other operator")
  func learn() throws {
    let network = Self.built(.supernet)
    let before = network.store.parameters.map(\.value)
    let pass = Pass(mode: .training)
    var random = Seeds(kind: "test", seed: 1).stream("step")
    let object = GroundTruthInstance(
      label: 1, box: Box(4, 4, 23, 23), mask: BinaryMask(width: 20, height: 20) { _, _ in true })
    let target = ImageTargets(
      width: 64, height: 64, semantic: (0..<4096).map { Int32($0 / 2048) }, instances: [object])
    let image = Tensor(shape: [1, 3, 64, 64]) { _ in Float(random.uniform(-100, 100)) }
    let losses = network.losses(
      pass.constant(image), targets: [target], path: Self.architecture, random: &random)
    #expect(losses.total.value.item.isFinite)
    pass.backward(from: losses.total)
    var window = GradientWindow(network.store.parameters)
    window.add(pass)
    SGD(network.store.parameters, momentum: 0.9) { _ in SGD.Rule(weightDecay: 0) }.step(
      gradients: window.sums, rate: 0.1)
    for (parameter, old) in zip(network.store.parameters, before) {
      let isOther =
        (0..<6).contains { parameter.name.contains("/choice\($0)/") } && !parameter.name.contains("choice4/s")
      if parameter.layer?.description.contains("to") == true { continue }
      if isOther { #expect(parameter.value.isIdentical(to: old), "\(parameter.name)") }
    }
    let moved = zip(network.store.parameters, before).filter { !$0.value.isIdentical(to: $1) }.map(\.0.name)
    #expect(moved.contains("body/stage2/0/choice4/spatial/weight") && moved.contains("mask/layer1/choice6/weight"))
  }

  @Test("cost what they say, and are named in descriptions")
  func cost() throws {
    let description = NetworkDescription(
      Self.network, architecture: Self.architecture, thingClasses: 2, stuffClasses: 2, height: 64, width: 64)
    let mask = try #require(description.modules.first { $0.kind == .maskHead })
    #expect(mask.parts[0].operation == "PW 1x1")
    #expect(mask.parts[0].multiplyAdds == 100 * 16 * 4 * 4)
    let block = try #require(description.modules[0].parts.first { $0.operation == "dense 3x3 /2" })
    // Stem 2, block of 2 to 4 channels at 16×16: the branch gives 2, the shortcut 2.
    #expect(block.multiplyAdds == (9 * 2 * 2 + 9 * 2 + 2 * 2) * 16 * 16)
    #expect(ArchitectureDrawing.rows(of: Self.architecture, Self.network)[0].blocks == ["dense 3x3"])
  }

  @Test("are in weights: only who knows them can load those")
  func weights() throws {
    let file = try Self.built(.fixed(Self.architecture)).file(batchNormMomentum: 0.1)
    let loaded = try PanopticNetwork.load(
      file, path: "weights.h5", content: .fixed(Self.architecture), operators: Self.catalog)
    #expect(loaded.configuration == Self.network)
    #expect(throws: StateError.self) {
      try PanopticNetwork.load(file, path: "weights.h5", content: .fixed(Self.architecture))
    }
  }

  /// Kinds whose parameters say what a network or a backbone searches.
  private static let dependent: Set<String> = [
    "pretrain-supernet", "pretrain-architecture", "finetune-supernet", "retrain-architecture", "propose-candidates",
    "select-architecture", "evolve-candidates", "draw-candidates", "tabulate-search-space", "draw-scores",
    "draw-architecture", "name-architectures", "vary-layers", "explain-rankings", "planted-fitness", "search-landscape",
    "expect-scores",
  ]

  @Test("are in the keys of the stages that search them and of no others")
  func keys() throws {
    let (usual, extended) = (Stages.registry(), Stages.registry(operators: Self.catalog))
    for (name, kind) in usual.kinds {
      let other = try #require(extended.kinds[name])
      #expect((kind.defaults != other.defaults) == Self.dependent.contains(name), "\(name)")
      #expect(kind.version == other.version && kind.traits == other.traits)
    }
    #expect(usual.traits == extended.traits)
    // What a record of the time before says keeps its meaning, and what a file says of operators is understood.
    let kind = try #require(extended.kinds["propose-candidates"])
    let old = try #require(usual.kinds["propose-candidates"]).defaults
    #expect(try kind.restore(old).parameters == old)
    let place = SourceLocation(file: "operators.yaml", line: 1, column: 1)
    let tree: CanonicalValue = ["network": ["head-operators": ["dw-3x3", "pw-1x1"]]]
    let written = LocatedValue(plain: tree, at: place)
    #expect(try kind.prepare(written).parameters["network"]?["headOperators"] == ["dw-3x3", "pw-1x1"])
    #expect(throws: PipelineError.self) {
      try #require(usual.kinds["propose-candidates"]).prepare(written)
    }
  }
}
