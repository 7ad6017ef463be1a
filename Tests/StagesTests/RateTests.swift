import Models
import NN
import Search
import Testing

@testable import Stages

@Suite("Learning rates of a supernet's parameters")
struct RateTests {
  /// The published search space, few channels.
  private static func network(_ family: BackboneKind = .shuffleNetV2) -> PanopticNetwork {
    var configuration = TinyNetwork.configuration
    configuration.backbone.stageBlocks = BackboneConfiguration().stageBlocks
    configuration.backbone.family = family
    configuration.maskHead.layers = 4
    configuration.semantic.layers = 3
    return PanopticNetwork(
      configuration, thingClasses: 2, stuffClasses: 2, content: .supernet, batchNormMomentum: 0.1, seeds: nil)
  }

  private static func rhythm(_ network: PanopticNetwork, _ period: UpdatePeriod = .window) -> UpdateRhythm {
    UpdateRhythm(.fairBlocks(network.searchSpace), layers: network.configuration.searchedLayers, period: period)
  }

  /// Method 5.5: twelve passes a window; a layer with P choices uses each of them 12 / P times.
  @Test("a rate is divided by the passes of a window that use the parameter, unless its layer is updated by itself")
  func dividers() throws {
    let network = Self.network()
    #expect(network.searchSpace == .published)
    let (whole, perLayer) = (Self.rhythm(network), Self.rhythm(network, .perLayer))
    let fixed = UpdateRhythm(
      .fixed(.publishedCOCO, replicas: 2), layers: network.configuration.searchedLayers, period: .window)
    for (name, divider) in [
      ("body/stage1/0/choice2/expand/weight", 3.0), ("body/stage4/7/choice3/point3/norm/shift", 3),
      ("body/stem/weight", 12), ("body/stem/norm/scale", 12), ("mask/layer4/choice5/weight", 2),
      ("semantic/layer1/choice0/spatial/weight", 2), ("attention-to-stuff/3/choice0/hidden/weight", 4),
      ("attention-to-things/4/choice2/output/bias", 4), ("pyramid/lateral2/weight", 12),
      ("proposals/shared/weight", 12), ("box/hidden1/weight", 12), ("mask/upscale/weight", 12),
      ("mask/maps/bias", 12), ("semantic/classifier/weight", 12),
    ] {
      let parameter = try #require(network.store.parameters.first { $0.name == name }, "\(name)")
      #expect(whole.rateDivider(of: parameter) == divider, "\(name)")
      #expect(perLayer.rateDivider(of: parameter) == (divider == 12 ? 12 : 1), "\(name)")
      #expect(fixed.rateDivider(of: parameter) == 1, "\(name)")
    }
  }

  @Test("without a searched backbone a window is six passes (method 5.5)")
  func headsOnly() throws {
    let network = Self.network(.resNet)
    let rhythm = Self.rhythm(network)
    #expect(PanopticTraining.Paths.fairBlocks(network.searchSpace).count == 6)
    for (name, divider) in [
      ("mask/layer1/choice0/spatial/weight", 1.0), ("pyramid/lateral2/weight", 6), ("body/stage1/0/reduce/weight", 6),
    ] {
      let parameter = try #require(network.store.parameters.first { $0.name == name }, "\(name)")
      #expect(rhythm.rateDivider(of: parameter) == divider, "\(name)")
    }
  }

  /// Method 13, to the digits it gives.
  @Test(
    "the rate of the backbone's choice blocks over the published run",
    arguments: [(0, 0.000667), (1500, 0.003667), (3000, 0.006667), (46_500, 0.003333), (90_000, 0)])
  func published(iteration: Int, expected: Double) throws {
    let recipe = FinetuneSupernetStage.Parameters().recipe
    let network = Self.network()
    let window = PanopticTraining.Paths.fairBlocks(network.searchSpace).count
    #expect(recipe.updates * window == 90_000)
    let schedule = Schedule(
      recipe.schedule, base: recipe.baseRate, total: recipe.updates * window, warmup: recipe.warmup)
    let name = "body/stage2/3/choice1/expand/weight"
    let block = try #require(network.store.parameters.first { $0.name == name })
    let rate = schedule.rate(at: iteration) / Self.rhythm(network).rateDivider(of: block)
    #expect(abs(rate - expected) <= 0.5e-6)
  }
}
