import Determinism
import Testing

@testable import Markup
@testable import PipelineModel
@testable import Reports
@testable import Stages

@Suite("RankingAgreement and RankingPlot")
struct RankingAgreementTests {
  @Test("the ranking of the supernet is compared with the means of retrainings, and those with each other")
  func agreement() throws {
    let report = RankingAgreement(supernet: [0.1, 0.2, 0.3], retrained: [[0.4, 0.6], [0.5, 0.3], [0.7, 0.7]])
    // 1 2 3 is compared with the means 2 1 3, and with 1 2 3 and 2 1 3 of single retrainings.
    #expect(abs(try #require(report.supernetRetrained).tau - 1.0 / 3) < 1e-15)
    #expect(abs(try #require(report.supernetSingle) - 2.0 / 3) < 1e-15)
    #expect(abs(try #require(report.retrainedAgain).tau - 1.0 / 3) < 1e-15)
    #expect(report.retrainedAgain?.pValue == 1 && report.retrainedAgain?.interval == nil)
    #expect(abs(try #require(report.within) - (0.04 / 3).squareRoot()) < 1e-15)
    let encoded = try CanonicalValue(encoding: report)
    #expect(encoded["models"]?.arrayValue?.count == 3)
    for highlight in CompareRankingsStage.highlights { #expect(highlight.value(in: encoded) != nil, "\(highlight)") }
    #expect(report.notes.count == 3 && report.notes[0].hasPrefix("share of variance of architectures 0."))
  }

  @Test("architectures that are retrained once or three times are compared as far as possible")
  func otherNumbers() throws {
    let once = RankingAgreement(supernet: [0.1, 0.2, 0.3], retrained: [[0.4], [0.5], [0.7]])
    #expect(once.share == nil && once.retrainedAgain == nil && once.supernetRetrained?.tau == 1)
    let thrice = RankingAgreement(
      supernet: [0.1, 0.2, 0.3, 0.4],
      retrained: [[0.4, 0.41, 0.42], [0.5, 0.52, 0.51], [0.7, 0.69, 0.68], [0.6, 0.61, 0.63]])
    let share = try #require(thrice.share)
    let (interval, pValue) = (try #require(share.interval), try #require(share.pValue))
    #expect(share.value > 0.98 && interval.lower > 0.9 && pValue < 1e-6)
    #expect(thrice.retrainedAgain?.tau == 1 && thrice.retrainedAgain?.test == .permutation)
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
    let noted = RankingPlot(title: "one", notes: ["tau 0.5"], models: [.init(supernet: 0.1, retrained: [0.2])])
    #expect(noted.svg.contains("tau 0.5") && noted.svg.split(separator: "<circle").count == 2)
  }
}
