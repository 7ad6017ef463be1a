import Determinism
import Testing

@testable import Markup
@testable import Reports
@testable import Stages

@Suite("RankingAgreement and RankingPlot")
struct RankingAgreementTests {
  @Test("the ranking of the supernet is compared with that of each retraining, and those with each other")
  func agreement() throws {
    let report = RankingAgreement(supernet: [0.1, 0.2, 0.3], retrained: [[0.4, 0.6], [0.5, 0.3], [0.7, 0.7]])
    // 1 2 3 is compared with 1 2 3 and with 2 1 3, which has two of three pairs in order.
    #expect(abs(try #require(report.supernetRetrained) - 2.0 / 3) < 1e-15)
    #expect(abs(try #require(report.retrainedAgain) - 1.0 / 3) < 1e-15)
    #expect(abs(try #require(report.within) - (0.04 / 3).squareRoot()) < 1e-15)
    let encoded = try CanonicalValue(encoding: report)
    #expect(encoded["supernet-retrained"] != nil && encoded["models"]?.arrayValue?.count == 3)
  }

  @Test("the plot has a dot for each retraining, on an axis that includes all")
  func plot() {
    let axis = Axis([38.2, 52.1])
    #expect(
      axis.ticks == [38, 40, 42, 44, 46, 48, 50, 52, 54]
        && axis.place(38, from: 400, to: 0) == 400 && axis.place(54, from: 400, to: 0) == 0)
    #expect(Axis([0.4]).ticks.map(Axis([0.4]).text) == ["0.4", "0.5"])
    let plot = RankingPlot(
      title: "a < b",
      models: [.init(supernet: 0.08, retrained: [0.5, 0.6]), .init(supernet: 0.09, retrained: [0.55, 0.5])])
    #expect(plot.svg.split(separator: "<circle").count == 5 && plot.svg.contains("a &lt; b"))
  }
}
