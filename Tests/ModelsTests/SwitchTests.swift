import Autograd
import Determinism
import Foundation
import NN
import Search
import Tensors
import Testing

@testable import Models

/// Where the paper and its published code disagree, and what the baselines are made of.
@Suite("Switches of the network")
struct SwitchTests {
  private typealias Change = @Sendable (inout NetworkConfiguration) -> Void

  private static let changes: [(name: String, change: Change)] = [
    ("attention source", { $0.attention.source = .allLevels }),
    ("activations", { $0.attention.activations = .reluOutside }),
    ("attention target", { $0.attention.target = .proposals }),
    ("subnet", { $0.semantic.subnet = .perLevel }),
    ("merge", { $0.semantic.merge = .add }),
    ("plain heads", { $0.heads = .plain }),
    ("norm variance", { $0.backbone.normVariance = .unbiased }),
    ("init std", { $0.backbone.initStd = .inverse }),
    ("Panoptic-FPN", { $0.semantic.head = .panopticFPN }),
    ("Panoptic-FPN-D", { $0.semantic.head = .panopticFPNDeformable }),
    ("ResNet", { $0.backbone.family = .resNet }),
    ("no top-down path", { $0.pyramidPath = .none }),
    ("one classified level", { $0.semantic.classifiedLevels = 1 }),
  ]

  @Test("as recommended they leave no trace in keys and artifacts, and otherwise their value")
  func encoding() throws {
    let standard = try CanonicalValue(encoding: Tiny.configuration)
    let text = standard.canonicalText
    for word in [
      "source", "activations", "target", "subnet", "merge", "heads", "normVariance", "branch\"", "family", "reluShift",
      "initStd", "pyramidPath", "classifiedLevels",
    ] {
      #expect(!text.contains(word), "\(word)")
    }
    for (name, change) in SwitchTests.changes {
      var configuration = Tiny.configuration
      change(&configuration)
      let value = try CanonicalValue(encoding: configuration)
      #expect(value != standard, "\(name)")
      #expect(try value.decoded(as: NetworkConfiguration.self) == configuration, "\(name)")
    }
    #expect(try standard.decoded(as: NetworkConfiguration.self) == Tiny.configuration)
  }

  @Test("norms in front of a ReLU start with the shift that is set, for γ at 1, others as published")
  func reluShift() throws {
    var configuration = Tiny.configuration
    configuration.backbone.branchScale = 0.25
    configuration.backbone.reluShift = 2
    let store = ParameterStore(seeds: Tiny.seeds)
    _ = ShuffleNetV2(
      store.root, configuration.backbone, choices: .supernet,
      settings: BlockSettings(configuration.backbone, momentum: 0.1))
    func starts(_ ending: String) -> Set<Float> {
      Set(store.parameters.filter { $0.name.hasSuffix(ending + "/norm/shift") }.flatMap { $0.value.array })
    }
    #expect(starts("stem") == [2] && starts("expand") == [2])
    #expect(starts("project") == [2, 0.5])
    #expect(starts("spatial") == [1e-4])
  }

  @Test("each changes what the network computes, and the network trains", arguments: changes.indices)
  func losses(_ index: Int) {
    var configuration = Tiny.configuration
    SwitchTests.changes[index].change(&configuration)
    func network(_ configuration: NetworkConfiguration) -> PanopticNetwork {
      PanopticNetwork(
        configuration, thingClasses: 2, stuffClasses: 2, content: .fixed(Tiny.path), batchNormMomentum: 0.1,
        seeds: Tiny.seeds)
    }
    let changed = network(configuration)
    let (pass, losses) = Tiny.run(changed)
    let total = losses.total.value.item
    #expect(total.isFinite && total != Tiny.run(network(Tiny.configuration)).losses.total.value.item)
    // What re-weights levels that are not classified has no part in the loss.
    let unread = (configuration.semantic.classifiedLevels ?? 4)..<4
    for parameter in changed.store.parameters
    where !unread.contains(where: { parameter.name.hasPrefix("attention-to-stuff/\($0)/") }) {
      #expect(pass.takeGradient(of: parameter) != nil, "\(parameter.name)")
    }
  }

  /// Method 2.2: `normal_(weight, 0, 1 / in)`, in the inputs of a group, so 1 for depthwise layers.
  @Test("first weights have the deviation that is set, the stem its own")
  func initStd() throws {
    for (setting, deviation) in [
      (InitStd.inverseRoot, { (1 / $0).squareRoot() }), (.inverse, { 1 / $0 }),
    ] as [(InitStd, (Double) -> Double)] {
      var configuration = BackboneConfiguration(
        stemChannels: 32, stageChannels: [64, 128, 192, 256], stageBlocks: [1, 2, 1, 1], classifierChannels: 128)
      configuration.initStd = setting
      let classifier = Classifier(
        configuration, choices: .supernet, classes: 3, dropout: 0, momentum: 0.1, seeds: Tiny.seeds)
      func measured(_ name: String) throws -> Double {
        let values = try #require(classifier.store.parameters.first { $0.name == name }, "\(name)").value.array
        return (values.reduce(0) { $0 + Double($1) * Double($1) } / Double(values.count)).squareRoot()
      }
      for (name, inputs) in [
        ("body/stage2/1/choice0/expand/weight", 64.0), ("body/stage2/1/choice2/project/weight", 64),
        ("body/stage2/1/choice2/spatial/weight", 1), ("classifier/last/weight", 256),
      ] {
        #expect(abs(try measured(name) / deviation(inputs) - 1) < 0.05, "\(setting), \(name)")
      }
      #expect(abs(try measured("body/stem/weight") / 0.01 - 1) < 0.1)
    }
  }

  /// The equation of paper 3.2.2 either way (fidelity 2), with one unit of each kind.
  @Test("attention has its ReLU inside or outside", arguments: [-3, -0.5, 0, 0.4, 2.0])
  func activations(_ z: Float) throws {
    let (w2, b2, w1, b1): (Float, Float, Float, Float) = (1.5, 0.25, -0.75, 0.5)
    func factor(_ activations: AttentionConfiguration.Activations) -> Float {
      let store = ParameterStore(seeds: nil)
      let layer = AttentionLayer(
        store.root, inputs: 1, outputs: 1, ratios: [1], activations: activations, choice: 0)
      for parameter in store.parameters {
        let isHidden = parameter.name.contains("hidden")
        let value = parameter.role == .weight ? (isHidden ? w2 : w1) : (isHidden ? b2 : b1)
        parameter.value = Tensor([value], shape: parameter.value.shape)
      }
      return layer(Pass(mode: .evaluation).constant(Tensor([z], shape: [1, 1])), choice: 0).value.item
    }
    func sigmoid(_ x: Float) -> Float { 1 / (1 + exp(-x)) }
    let inside = 1 + (1 - sigmoid(w1 * max(0, w2 * z + b2) + b1))
    let outside = 1 + max(0, w1 * (1 - sigmoid(w2 * z + b2)) + b1)
    #expect(abs(factor(.reluInside) - inside) < 1e-6 && abs(factor(.reluOutside) - outside) < 1e-6)
    #expect(inside != outside)
  }

  @Test("attention reads P3 to P6 or P2 to P6, and re-weights all that the heads read or proposals alone")
  func attentionReach() {
    func network(_ change: (inout AttentionConfiguration) -> Void) -> PanopticNetwork {
      var configuration = Tiny.configuration
      change(&configuration.attention)
      return PanopticNetwork(
        configuration, thingClasses: 2, stuffClasses: 2, content: .fixed(Tiny.path), batchNormMomentum: 0.1,
        seeds: Tiny.seeds)
    }
    func inputs(_ network: PanopticNetwork) -> Set<Int> {
      Set(
        network.store.parameters.filter {
          $0.name.hasPrefix("attention-to-stuff") && $0.name.hasSuffix("hidden/weight")
        }.map { $0.value.shape[1] })
    }
    let channels = Tiny.configuration.pyramidChannels
    #expect(inputs(network { _ in }) == [4 * channels] && inputs(network { $0.source = .allLevels }) == [5 * channels])

    func features(_ network: PanopticNetwork) -> (proposals: [Tensor], heads: [Tensor]) {
      let features = network.features(Pass(mode: .evaluation).constant(Tiny.images), path: Tiny.path)
      return (features.proposalLevels.map(\.value), features.levels.map(\.value))
    }
    func isSame(_ a: [Tensor], _ b: [Tensor]) -> Bool { zip(a, b).allSatisfy { $0.isIdentical(to: $1) } }
    // Weights depend on names alone, so what is left is the same.
    let plain = features(network { $0.enabled = false })
    let all = features(network { _ in })
    let proposals = features(network { $0.target = .proposals })
    #expect(isSame(all.proposals, all.heads) && !isSame(all.heads, plain.heads))
    #expect(isSame(proposals.proposals, all.proposals) && isSame(proposals.heads, plain.heads))
  }

  @Test("a ResNet-50 has as many parameters as torchvision's")
  func resNet() {
    // torchvision's resnet50 has 25,557,032 with its last layer of 2,049,000.
    let description = NetworkDescription(classifier: .resNet50, path: [])
    let backbone = description.modules[0]
    #expect(backbone.parameters == 25_557_032 - 2_049_000)
    #expect(backbone.parts.count == 17)
    // Stride in the first convolution of a block, as He et al. have it: 3.8 G.
    #expect((3_700_000_000..<3_900_000_000).contains(backbone.multiplyAdds))
  }

  @Test("descriptions count the parameters of the network that is built", arguments: changes.indices)
  func description(_ index: Int) {
    var configuration = Tiny.configuration
    SwitchTests.changes[index].change(&configuration)
    let network = PanopticNetwork(
      configuration, thingClasses: 2, stuffClasses: 2, content: .fixed(Tiny.path), batchNormMomentum: 0.1, seeds: nil)
    let description = NetworkDescription(
      configuration, architecture: Tiny.path, thingClasses: 2, stuffClasses: 2, height: 64, width: 64)
    #expect(description.parameters == network.store.parameterCount)
  }

  @Test("parts that a network does not hold may say anything")
  func validation() throws {
    var configuration = Tiny.configuration
    try configuration.validate(Tiny.path)
    #expect(throws: SearchError.self) { try configuration.validate(.publishedCOCO) }
    configuration.backbone.family = .resNet
    try configuration.validate(.publishedCOCO)
    configuration.attention.enabled = false
    try configuration.validate(Architecture(backbone: [], head: Tiny.path.head, inter: []))
  }
}
