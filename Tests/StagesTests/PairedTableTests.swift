import Determinism
import Panoptic
import Search
import Testing

@testable import Reports
@testable import Stages

@Suite("PairedTable and SamplingReport")
struct PairedTableTests {
  private static func quality(_ pq: Double) -> [QualityResult] {
    [QualityResult(pq: pq, things: pq, stuff: pq, sq: pq, rq: pq)]
  }

  @Test("differences are formed seed by seed, of seeds that have both results")
  func pairs() throws {
    let table = PairedTable([
      (1, [.coco: Self.quality(0.50), .randomSearchEqual: Self.quality(0.48), .evolution: Self.quality(0.4)]),
      (2, [.coco: Self.quality(0.60), .randomSearchEqual: Self.quality(0.56)]),
      (3, [.coco: Self.quality(0.40), .randomSearchEqual: Self.quality(0.37)]),
      (4, [.coco: Self.quality(0.90)]),
    ])
    let row = try #require(table.rows.first)
    #expect(table.rows.count == 1 && row.contrast.second == .randomSearchEqual)
    #expect(row.differences.map(\.seed) == [1, 2, 3])
    // 2, 4 and 3 points: mean 3, standard error 1 / √3, t with two degrees of freedom 4.303.
    let estimate = try #require(row.estimate)
    let reach = 4.302652729749464 / 3.0.squareRoot()
    #expect(abs(estimate.mean - 3) < 1e-9)
    #expect(abs(try #require(estimate.interval).lower - (3 - reach)) < 1e-9)
    let text = try #require(table.table).rendered(as: .text, run: "seeds 1 to 4")
    #expect(
      text.contains("path-priority over random search, both 60 models      3   3.0        0.5  5.5  0.035"), "\(text)")
    let json = try #require(table.json.arrayValue?.first)
    #expect(json["differences"]?.arrayValue?.count == 3 && json["interval"]?["upper"]?.numberValue != nil)
    #expect(PairedTable([(1, [.coco: Self.quality(0.5), .random: Self.quality(0.4)])]).table == nil)
  }

  @Test("tables as JSON have all values of all runs as numbers")
  func json() throws {
    let table = try #require(PaperTable.all.first { $0.id == "table-5" })
    let json = table.json(with: [.coco: Self.quality(0.5) + Self.quality(0.25)])
    let row = try #require(json["rows"]?.arrayValue?.first { $0["result"]?.stringValue == "coco" })
    let metric = try #require(row["metrics"]?["PQ"])
    #expect(metric["reported"]?.stringValue == "44.8")
    #expect(metric["values"]?.arrayValue?.map(\.numberValue) == [50, 25])
  }

  @Test("the interval of the sampling error holds the value, and that of a difference is narrow for like predictions")
  func sampling() throws {
    let categories = CategoryTable([PanopticCategory(id: 1, name: "thing", isThing: true)])
    func quality(_ shift: Double) -> PanopticQuality {
      PanopticQuality(
        (0..<20).map { i in
          let counts = MatchCounts(iou: 0.55 + 0.02 * Double(i) + shift, truePositives: 1)
          return [PanopticQuality.CategoryCounts(category: 0, counts: counts)]
        }, categories: categories)
    }
    let report = SamplingReport(quality(0.01), reference: quality(0), draws: 399)
    let interval = try #require(report.pq.interval)
    #expect(interval.lower < report.pq.value && report.pq.value < interval.upper && interval.width > 0.05)
    let difference = try #require(report.difference)
    #expect(abs(difference.value - 0.01) < 1e-12)
    #expect(try #require(difference.interval).width < 1e-12)
    #expect(report.images == 20 && report.draws == 399 && report.stuff.value == 0)
  }
}
