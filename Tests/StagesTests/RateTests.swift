import NN
import Search
import Testing

@testable import Stages

@Suite("Learning rates of a supernet's parameters")
struct RateTests {
  private let paths = PanopticTraining.Paths.fairBlocks(.published)

  /// Spec 5.5: twelve passes a window; a layer with P choices uses each of them 12 / P times.
  @Test(
    "rates are divided by the passes of a window that use a parameter",
    arguments: [
      ("body/stage1/0/choice2/expand/weight", 3), ("body/stage4/7/choice3/point3/norm/shift", 3),
      ("body/stem/weight", 12), ("body/stem/norm/scale", 12), ("mask/layer4/choice5/weight", 2),
      ("semantic/layer1/choice0/spatial/weight", 2), ("attention-to-stuff/3/choice0/hidden/weight", 4),
      ("attention-to-things/4/choice2/output/bias", 4), ("pyramid/lateral2/weight", 12),
      ("proposals/shared/weight", 12), ("box/hidden1/weight", 12), ("mask/upscale/weight", 12),
      ("mask/maps/bias", 12), ("semantic/classifier/weight", 12),
    ])
  func dividers(_ name: String, divider: Double) {
    #expect(PanopticTraining.rateDivider(name, paths: paths) == divider)
    #expect(PanopticTraining.rateDivider(name, paths: .fixed(.publishedCOCO, replicas: 2)) == 1)
  }

  @Test("without a searched body a window is six passes (spec 5.5)")
  func headsOnly() {
    var space = SearchSpace.published
    space.backboneLayers = 0
    let paths = PanopticTraining.Paths.fairBlocks(space)
    #expect(paths.count == 6)
    #expect(PanopticTraining.rateDivider("mask/layer1/choice0/weight", paths: paths) == 1)
    #expect(PanopticTraining.rateDivider("pyramid/lateral2/weight", paths: paths) == 6)
  }

  /// Spec 16, to the digits it gives.
  @Test(
    "the rate of the body's choice blocks over the published run",
    arguments: [(0, 0.000667), (1500, 0.003667), (3000, 0.006667), (46_500, 0.003333), (90_000, 0)])
  func published(iteration: Int, expected: Double) {
    let recipe = FinetuneSupernetStage.Parameters().recipe
    #expect(recipe.updates * paths.count == 90_000)
    let schedule = Schedule(
      recipe.schedule, base: recipe.baseRate, total: recipe.updates * paths.count, warmup: recipe.warmup)
    let rate =
      schedule.rate(at: iteration) / PanopticTraining.rateDivider("body/stage2/3/choice1/expand/weight", paths: paths)
    #expect(abs(rate - expected) <= 0.5e-6)
  }
}
