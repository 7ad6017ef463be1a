import Determinism
import Foundation
import NN
import Search
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
    ("norm variance", { $0.body.normVariance = .unbiased }),
    ("Panoptic-FPN", { $0.semantic.branch = .panopticFPN }),
    ("Panoptic-FPN-D", { $0.semantic.branch = .panopticFPNDeformable }),
    ("ResNet", { SwitchTests.makeResNet(&$0.body) }),
  ]

  private static func makeResNet(_ body: inout BodyConfiguration) { body.family = .resnet }

  @Test("as recommended they leave no trace in keys and artifacts, and otherwise their value")
  func encoding() throws {
    let standard = try CanonicalValue(encoding: Tiny.configuration)
    let text = standard.canonicalText
    for word in [
      "source", "activations", "target", "subnet", "merge", "heads", "normVariance", "branch\"", "family", "reluShift",
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
    configuration.body.branchScale = 0.25
    configuration.body.reluShift = 2
    let store = ParameterStore(seeds: Tiny.seeds)
    _ = Body(store.root, configuration.body, choices: .supernet, style: BodyStyle(momentum: 0.1))
    func starts(_ ending: String) -> Set<Float> {
      Set(store.parameters.filter { $0.name.hasSuffix(ending + "/norm/shift") }.flatMap { $0.value.array })
    }
    #expect(starts("stem") == [2] && starts("expand") == [2])
    #expect(starts("project") == [2, 0.5])
    #expect(starts("spatial") == [1e-4])
  }

  @Test("each changes what the network computes, and the network trains", arguments: 0..<10)
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
    for parameter in changed.store.parameters {
      #expect(pass.takeGradient(of: parameter) != nil, "\(parameter.name)")
    }
  }

  @Test("a ResNet-50 has as many parameters as torchvision's")
  func resNet() {
    // torchvision's resnet50 has 25,557,032 with its last layer of 2,049,000.
    let description = NetworkDescription(classifier: .resNet50, path: [])
    let body = description.modules[0]
    #expect(body.parameters == 25_557_032 - 2_049_000)
    #expect(body.parts.count == 17)
    // Stride in the first convolution of a block, as He et al. have it: 3.8 G.
    #expect((3_700_000_000..<3_900_000_000).contains(body.multiplyAdds))
  }

  @Test("descriptions count the parameters of the network that is built", arguments: 0..<10)
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
    configuration.body.family = .resnet
    try configuration.validate(.publishedCOCO)
    configuration.attention.enabled = false
    try configuration.validate(Architecture(backbone: [], head: Tiny.path.head, inter: []))
  }
}
