import Autograd
import Determinism
import Models
import NN
import Search
import Tensors
import Testing

/// A backbone of one convolution a block, as a program outside the package would add it.
private final class FixtureBackbone: Backbone {
  let configuration: BackboneConfiguration
  private let entry: Conv2d
  private let blocks: [[Conv2d]]

  init(_ scope: Scope, _ configuration: BackboneConfiguration) {
    self.configuration = configuration
    func conv(_ place: Scope, _ inputs: Int, _ outputs: Int, stride: Int) -> Conv2d {
      Conv2d(
        place, inputChannels: inputs, outputChannels: outputs, kernelSize: 3, stride: stride, bias: true,
        weight: .kaimingUniform)
    }
    entry = conv(scope.sub("stem"), 3, configuration.stemChannels, stride: 2)
    let inputs = [configuration.stemChannels] + configuration.stageChannels
    blocks = configuration.stageChannels.indices.map { stage in
      [conv(scope.sub("stage\(stage + 1)").sub(0), inputs[stage], inputs[stage + 1], stride: 2)]
    }
  }

  func stem(_ images: Variable) -> Variable { entry(images) }
  func stages(path: [Int]) -> [[(Variable) -> Variable]] {
    blocks.map { stage in stage.map { conv in { relu(conv($0)) } } }
  }
  var norms: [BatchNorm2d] { [] }
}

private struct FixtureFamily: BackboneFamily {
  var name: String { "fixture" }
  func make(
    _ scope: Scope, _ configuration: BackboneConfiguration, choices: BackboneChoices, settings: BlockSettings
  ) -> any Backbone { FixtureBackbone(scope, configuration) }
  func parts(_ configuration: BackboneConfiguration, path: [Int], height: Int, width: Int) -> [NetworkPart] {
    [NetworkPart(name: "all", operation: "conv 3x3", parameters: .below("body/"), output: "C5", multiplyAdds: 1)]
  }
  func weightFloor(_ configuration: BackboneConfiguration, isSupernet: Bool) -> Double {
    27 * Double(configuration.stemChannels)
  }
}

/// Reads P2 alone; the features of the other levels are copies.
private final class FixtureSemanticHead: SemanticHead {
  private let hidden: Conv2d
  private let classifier: Conv2d

  init(_ setting: SemanticHeadSetting) {
    let channels = setting.configuration.semantic.channels
    hidden = Conv2d(
      setting.scope.sub("hidden"), inputChannels: setting.inputs, outputChannels: channels, kernelSize: 1, bias: true,
      weight: .kaimingUniform)
    classifier = Conv2d(
      setting.scope.sub("classifier"), inputChannels: channels, outputChannels: setting.classes, kernelSize: 1,
      bias: true, weight: .kaimingUniform)
  }

  func features(_ levels: [Variable], path: [Int]) -> [Variable] {
    let y = relu(hidden(levels[0]))
    return levels.map { _ in y }
  }
  func scores(_ features: [Variable]) -> Variable {
    classifier(features.dropFirst().reduce(features[0], add))
  }
}

private struct FixtureSemanticHeadFamily: SemanticHeadFamily {
  var name: String { "fixture" }
  func make(_ setting: SemanticHeadSetting) -> any SemanticHead { FixtureSemanticHead(setting) }
  func layers(_ shapes: SemanticHeadShapes) -> [NetworkPart] {
    [
      NetworkPart(
        name: "all", operation: "conv 1x1", parameters: .below("semantic/"), output: "scores", multiplyAdds: 1)
    ]
  }
  func weightFloor(_ configuration: NetworkConfiguration, isSupernet: Bool) -> Double { 0 }
}

@Suite("Parts that a program adds")
struct PartsTests {
  private static let catalog = NetworkCatalog.published.adding(
    backbones: [FixtureFamily()], semanticHeads: [FixtureSemanticHeadFamily()])

  private func configuration(_ change: (inout NetworkConfiguration) -> Void) -> NetworkConfiguration {
    var configuration = Tiny.configuration
    change(&configuration)
    return configuration
  }

  /// Trains one step, predicts, and compares the description with what was built.
  private func expectWorks(_ configuration: NetworkConfiguration) {
    let network = PanopticNetwork(
      configuration, thingClasses: 2, stuffClasses: 2, content: .fixed(Tiny.path), batchNormMomentum: 0.1,
      seeds: Tiny.seeds)
    let (pass, losses) = Tiny.run(network)
    #expect(losses.named.allSatisfy { $0.value.isFinite && $0.value > 0 })
    for parameter in network.store.parameters {
      #expect(pass.takeGradient(of: parameter) != nil, "\(parameter.name)")
    }
    let image = Pass(mode: .evaluation).constant(Tiny.images.rows(0..<1))
    let prediction = network.predict(image, width: 64, height: 60, path: Tiny.path)
    #expect(prediction.semantic.count == 64 * 60 && prediction.semantic.allSatisfy { $0 <= 2 })
    let description = NetworkDescription(
      configuration, architecture: Tiny.path, thingClasses: 2, stuffClasses: 2, height: 64, width: 64)
    #expect(description.parameters == network.store.parameterCount)
    let floor = configuration.weightFloor(isSupernet: false, thingClasses: 2, stuffClasses: 2)
    #expect(floor > 0 && floor <= Double(network.store.parameterCount))
  }

  @Test("a backbone is one type: the network trains, predicts and is described with it")
  func backbone() {
    let configuration = configuration { $0.backbone.family = BackboneKind(FixtureFamily()) }
    #expect(configuration.searchSpace.backboneLayers == 0)
    expectWorks(configuration)
  }

  @Test("a semantic head is one type")
  func semanticHead() {
    expectWorks(configuration { $0.semantic.head = SemanticHeadKind(FixtureSemanticHeadFamily()) })
  }

  @Test("who registers them in the catalog can name them in files; others get an error that lists what there is")
  func encoding() throws {
    let configuration = configuration {
      $0.backbone.family = BackboneKind(FixtureFamily())
      $0.semantic.head = SemanticHeadKind(FixtureSemanticHeadFamily())
    }
    let value = try CanonicalValue(encoding: configuration)
    let decoded = try value.decoded(as: NetworkConfiguration.self, userInfo: Self.catalog.userInfo)
    #expect(decoded == configuration)
    #expect(decoded.searchSpace == configuration.searchSpace)
    let error = #expect(throws: DecodingError.self) { try value.decoded(as: NetworkConfiguration.self) }
    #expect("\(error!)".contains("unknown backbone 'fixture'; there are shuffle, resnet"))
  }
}
