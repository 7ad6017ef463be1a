import Autograd
import NN
import Search
import Tensors
import Testing

@testable import Models

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
  var name: BackboneName { BackboneName(rawValue: "fixture") }
  func searchedLayerCount(_ configuration: BackboneConfiguration) -> Int { 0 }
  func make(
    _ scope: Scope, _ configuration: BackboneConfiguration, choices: BackboneChoices, settings: BlockSettings
  ) -> any Backbone { FixtureBackbone(scope, configuration) }
  func parts(_ configuration: BackboneConfiguration, path: [Int], height: Int, width: Int) -> [NetworkPart] {
    [NetworkPart(name: "all", operation: "conv 3x3", scope: "body/", output: "C5", multiplyAdds: 1)]
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

private struct FixtureSemanticHeadKind: SemanticHeadKind {
  var name: SemanticHeadName { SemanticHeadName(rawValue: "fixture") }
  func make(_ setting: SemanticHeadSetting) -> any SemanticHead { FixtureSemanticHead(setting) }
  func layers(_ shapes: SemanticHeadShapes) -> [NetworkPart] {
    [NetworkPart(name: "all", operation: "conv 1x1", scope: "semantic/", output: "scores", multiplyAdds: 1)]
  }
  func weightFloor(_ configuration: NetworkConfiguration, isSupernet: Bool) -> Double { 0 }
}

@Suite("Parts that a program adds")
struct PartsTests {
  private func network(_ configuration: NetworkConfiguration, _ parts: NetworkParts) -> PanopticNetwork {
    PanopticNetwork(
      configuration, thingClasses: 2, stuffClasses: 2, content: .fixed(Tiny.path), batchNormMomentum: 0.1,
      seeds: Tiny.seeds, parts: parts)
  }

  private func expectTrainsAndPredicts(_ network: PanopticNetwork) {
    let (pass, losses) = Tiny.run(network)
    #expect(losses.named.allSatisfy { $0.value.isFinite && $0.value > 0 })
    for parameter in network.store.parameters {
      #expect(pass.takeGradient(of: parameter) != nil, "\(parameter.name)")
    }
    let evaluation = Pass(mode: .evaluation)
    let prediction = withExtendedLifetime(evaluation) {
      network.predict(evaluation.constant(Tiny.images.rows(0..<1)), width: 64, height: 60, path: Tiny.path)
    }
    #expect(prediction.semantic.count == 64 * 60 && prediction.semantic.allSatisfy { $0 <= 2 })
  }

  @Test("a backbone is one type and one registration: the network trains, predicts, describes and floors with it")
  func backbone() {
    let parts = NetworkParts.standard.adding(FixtureFamily())
    var configuration = Tiny.configuration
    configuration.backbone.family = BackboneName(rawValue: "fixture")
    #expect(configuration.searchSpace(parts).backboneLayers == 0)
    let network = network(configuration, parts)
    expectTrainsAndPredicts(network)
    let description = NetworkDescription(
      configuration, architecture: Tiny.path, thingClasses: 2, stuffClasses: 2, height: 64, width: 64, parts: parts)
    #expect(description.parameters == network.store.parameterCount)
    let floor = configuration.weightFloor(isSupernet: false, thingClasses: 2, stuffClasses: 2, parts: parts)
    #expect(floor > 0 && floor <= Double(network.store.parameterCount))
  }

  @Test("a semantic head is one type and one registration")
  func semanticHead() {
    let parts = NetworkParts.standard.adding(FixtureSemanticHeadKind())
    var configuration = Tiny.configuration
    configuration.semantic.head = SemanticHeadName(rawValue: "fixture")
    let network = network(configuration, parts)
    expectTrainsAndPredicts(network)
    let description = NetworkDescription(
      configuration, architecture: Tiny.path, thingClasses: 2, stuffClasses: 2, height: 64, width: 64, parts: parts)
    #expect(description.parameters == network.store.parameterCount)
  }

  @Test("one of a known name takes its place; the standard parts stay as they are")
  func replacement() {
    let parts = NetworkParts.standard.adding(FixtureFamily()).adding(FixtureFamily())
    #expect(parts.backbones.map(\.name.rawValue) == ["shuffle", "resnet", "fixture"])
    #expect(NetworkParts.standard.backbones.map(\.name) == [.shuffleNetV2, .resNet])
    #expect(BackboneName.allCases == [.shuffleNetV2, .resNet])
    #expect(SemanticHeadName.allCases == [.searched, .panopticFPN, .panopticFPNDeformable])
  }
}
