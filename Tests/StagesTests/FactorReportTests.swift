import Determinism
import Models
import Search
import Testing

@testable import PipelineModel
@testable import Reports
@testable import Stages

@Suite("Factors of architectures")
struct FactorReportTests {
  /// Four backbone layers, a mask layer, two semantic layers, attention.
  private static let network: NetworkConfiguration = {
    var network = TinyNetwork.configuration
    network.maskHead.layers = 1
    network.semantic.layers = 2
    return network
  }()

  private static let space = network.searchSpace

  private static func drawn(_ count: Int) -> [Architecture] {
    RandomSearch(space: space, count: count).candidates(seeds: Seeds(kind: "test", seed: 3))
      .map { Architecture($0, in: space) }
  }

  @Test("factors are words, counts, places and operators of each component")
  func names() {
    let names = ArchitectureFactors.all(of: Self.drawn(5), Self.network).map(\.name)
    for name in [
      "semantic: a layer is DF", "semantic: number of DF layers", "semantic: number of 3x3 layers",
      "semantic: layer 2 is AT", "semantic layer 2", "backbone: number of shuffle 7x7 layers", "stage 1 block 1",
      "mask: a layer is DW", "mask layer 1", "things-to-stuff: number of ratio 4 layers",
    ] {
      #expect(names.contains(name), "\(name)")
    }
    // Of one layer, the number is whether it is there.
    #expect(!names.contains("mask: number of DW layers") && Set(names).count == names.count)
  }

  @Test("a planted deformable layer is the strongest factor, and what remains within it has a share of its own")
  func planted() throws {
    let models = Self.drawn(20)
    var random = Seeds(kind: "test", seed: 3).stream("noise")
    let retrained = models.map { model -> [Double] in
      let isDeformable = model.choices(of: .semantic, in: Self.space).contains { $0 == 2 || $0 == 3 }
      let own = 0.3 + (isDeformable ? 0.2 : 0) + 0.02 * random.normal()
      return [own + 0.01 * random.normal(), own + 0.01 * random.normal()]
    }
    let report = FactorReport(models, retrained: retrained, Self.network)
    let strongest = try #require(report.strongest)
    #expect(strongest.factor == "semantic: a layer is DF" && strongest.share > 0.9)
    #expect(strongest.pValueAmongAll == 0.001 && report.steps.first?.factor == strongest.factor)
    let (all, within) = (try #require(report.share), try #require(strongest.within))
    // Within the levels 0.02² / (0.02² + 0.01²) is planted.
    #expect(all.value > 0.95 && (0.5...0.95).contains(within.value), "\(within)")
    #expect(try #require(within.interval).lower < within.value)
    #expect(strongest.largestGroup.architectures >= 10 && strongest.largestGroup.share != nil)
    let levels = report.factors[0].levels
    #expect(levels.map(\.level) == ["no", "yes"] && levels[0].architectures + levels[1].architectures == 20)
    #expect(abs(levels[1].mean - levels[0].mean - 0.2) < 0.03)
    let encoded = try CanonicalValue(encoding: report)
    for highlight in ExplainRankingsStage.highlights { #expect(highlight.value(in: encoded) != nil, "\(highlight)") }
    #expect(try encoded.decoded(as: FactorReport.self).factors.count == report.factors.count)
    let svg = report.factorPlot.svg
    #expect(svg.contains("semantic: a layer is DF") && svg.split(separator: "<circle").count > 12)
  }

  @Test("one change at a time is compared with the base, with the spread of retrainings")
  func differences() throws {
    let base = Self.network.completed(backbone: [], head: [], inter: [])
    var (one, both, other) = (base, base, base)
    one.head[1] = 2
    (both.head[1], both.head[2]) = (5, 5)
    (other.head[1], other.backbone[0]) = (1, 1)
    let report = FactorReport(
      [base, one, both, other], retrained: [[0.30, 0.32], [0.40, 0.42], [0.31, 0.33], [0.2, 0.22]], Self.network)
    #expect(report.differences.map(\.change) == ["semantic layer 1: DF 3x3", "semantic: AT 5x5 in every layer"])
    let first = report.differences[0]
    #expect(abs(first.difference - 0.1) < 1e-12)
    // Every spread is 0.02, so the standard error is 0.02 / √2 · √(2 / 2), and t with four degrees of freedom 2.776.
    let interval = try #require(first.interval)
    #expect(abs(interval.width / 2 - 2.7764451051977943 * 0.02 / 2.0.squareRoot()) < 1e-12)
    let (p, amongAll) = (try #require(first.pValue), try #require(first.pValueAmongAll))
    #expect(amongAll == 2 * p)
    #expect(try #require(report.differencePlot).svg.contains("DF 3x3"))
  }

  @Test("architectures that were retrained once have factors and no shares of retrainings")
  func once() {
    let report = FactorReport(
      Self.drawn(6), retrained: [[0.1], [0.2], [0.4], [0.3], [0.2], [0.5]], Self.network)
    #expect(report.share == nil && report.explainable == nil && !report.factors.isEmpty)
    #expect(FactorReport(Self.drawn(2), retrained: [[0, 0], [0, 0]], Self.network).strongest == nil)
  }

  @Test("a component at a time and a layer at a time give every other choice once")
  func designs() throws {
    func count(_ by: String, _ components: [String]) throws -> Int {
      var parameters = VaryLayersStage.Parameters()
      parameters.network = Self.network
      parameters.by = try #require(VaryLayersStage.Unit(rawValue: by))
      parameters.components = try components.map { try #require(SearchSpace.Component(rawValue: $0)) }
      let stage = try VaryLayersStage(parameters: parameters)
      let base = Self.network.completed(backbone: [], head: [], inter: [])
      let made = [base] + stage.variants(of: base)
      for model in made { try Self.network.validate(model) }
      #expect(stage.count >= Set(made).count)
      let described = made.compactMap { ArchitectureDifference.text($0, from: base, Self.network) }
      #expect(described.count == made.count { $0 != base } && Set(described).count == Set(made).count - 1)
      return Set(made).count
    }
    #expect(try count("component", ["semantic"]) == 6 && count("layer", ["semantic"]) == 11)
    // Backbone 3 others, mask 5, semantic 5, attention 2 and 2.
    #expect(try count("component", []) == 18)
    #expect(throws: ParameterError.self) {
      var parameters = VaryLayersStage.Parameters()
      parameters.network = Self.network
      parameters.head = [9, 0, 0]
      _ = try VaryLayersStage(parameters: parameters)
    }
  }

  @Test("named architectures are every backbone with every head")
  func named() throws {
    var parameters = NameArchitecturesStage.Parameters()
    parameters.network = Self.network
    parameters.backbones = [[0, 1, 2, 3], [3, 3, 3, 3]]
    parameters.heads = [[0, 0, 0], [5, 4, 4], [1, 2, 3]]
    #expect(try NameArchitecturesStage(parameters: parameters).count == 6)
    parameters.heads = [[0, 0]]
    #expect(throws: ParameterError.self) { _ = try NameArchitecturesStage(parameters: parameters) }
  }
}
