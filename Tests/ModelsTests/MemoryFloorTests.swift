import Autograd
import Determinism
import NN
import Search
import Tensors
import Testing

@testable import Models

/// A floor above what a network takes would refuse work that there is room for; one far below would refuse nothing.
@Suite("What a network needs at least")
struct MemoryFloorTests {
  private static let configurations: [(name: String, configuration: NetworkConfiguration)] = {
    var list: [(String, NetworkConfiguration)] = [("tiny", Tiny.configuration)]
    func add(_ name: String, _ change: (inout NetworkConfiguration) -> Void) {
      var configuration = Tiny.configuration
      change(&configuration)
      list.append((name, configuration))
    }
    add("plain heads") { $0.heads = .plain }
    add("no attention") { $0.attention.enabled = false }
    add("per level") { $0.semantic.subnet = .perLevel }
    add("added levels") { $0.semantic.merge = .add }
    add("Panoptic-FPN") { $0.semantic.head = .panopticFPN }
    add("Panoptic-FPN-D") { $0.semantic.head = .panopticFPNDeformable }
    add("two operators") { $0.backbone.operators = OperatorSet([.shuffle3x3, .shuffle7x7]) }
    add("one operator") { $0.headOperators = OperatorSet([.depthwise3x3]) }
    add("wide") {
      $0.pyramidChannels = 64
      $0.maskHead.channels = 16
      $0.semantic.channels = 24
      $0.boxHead.hidden = 128
    }
    add("ResNet") {
      $0.backbone = BackboneConfiguration(
        stemChannels: 8, stageChannels: [16, 32, 64, 128], stageBlocks: [1, 2, 1, 2], classifierChannels: 16)
      $0.backbone.family = .resNet
    }
    return list
  }()

  @Test("is no more than its weights, and no less than a twentieth", arguments: configurations.map(\.name))
  func weights(_ name: String) throws {
    let configuration = try #require(Self.configurations.first { $0.name == name }).configuration
    for (content, isSupernet) in [(NetworkContent.supernet, true), (.fixed(cheapest(configuration)), false)] {
      let network = PanopticNetwork(
        configuration, thingClasses: 5, stuffClasses: 3, content: content, batchNormMomentum: 0.1, seeds: nil)
      let floor = configuration.weightFloor(isSupernet: isSupernet, thingClasses: 5, stuffClasses: 3)
      let weights = Double(network.store.parameterCount)
      #expect(floor <= weights && floor >= 0.05 * weights, "\(name): \(floor) of \(weights)")
    }
  }

  /// The choices with the fewest weights.
  private func cheapest(_ configuration: NetworkConfiguration) -> Architecture {
    Architecture(Genome(configuration.searchSpace.choicesPerLayer.map { _ in 0 }), in: configuration.searchSpace)
  }

  /// Method 1.6.
  @Test("is most of the published backbones and networks")
  func published() {
    for (floor, weights) in [
      (BackboneConfiguration.search1G3.weightFloor(isSupernet: true), 28_642_008.0),
      (BackboneConfiguration.retrain3G8.weightFloor(isSupernet: false), 20_015_000.0),
      (NetworkConfiguration().weightFloor(isSupernet: true, thingClasses: 80, stuffClasses: 53), 74_407_315.0),
    ] {
      #expect(floor <= weights && floor >= 0.3 * weights, "\(floor) of \(weights)")
    }
  }

  @Test("is no more than what a pass keeps for its backward pass")
  func activations() async {
    // In a process of its own: memory of all threads is counted.
    await #expect(processExitsWith: .success) {
      let network = Tiny.network(.fixed(Tiny.path))
      let (height, width) = (128, 160)
      let images = Tensor(repeating: 1, shape: [1, 3, height, width])
      let before = TensorMemory.used
      let levels = network.backbone(Pass(mode: .training).constant(images), path: Tiny.path.backbone)
      let kept = withExtendedLifetime(levels) { Double(TensorMemory.used - before) / 4 }
      let pixels = Double(height * width)
      let floor = Tiny.configuration.backbone.activationFloor(pixels: pixels) - 3 * pixels
      precondition(floor > 0 && floor <= kept, "\(floor) of \(kept)")
    }
  }

  @Test("grows without overflow")
  func absurd() {
    var configuration = NetworkConfiguration()
    configuration.backbone.stageChannels = [65_534, 65_536, 65_536, 65_536]
    configuration.backbone.stageBlocks = [1000, 1000, 1000, 1000]
    configuration.semantic.layers = 1000
    let floor = configuration.weightFloor(isSupernet: true, thingClasses: .max, stuffClasses: .max)
    #expect(floor.isFinite && floor > 1e12)
    #expect(configuration.featureFloor(pixels: 1e10, stuffClasses: .max).isFinite)
  }
}
