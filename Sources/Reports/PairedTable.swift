import Determinism
import Search

/// Two rows of the paper's tables whose difference is a claim of the paper, or belongs beside one.
public struct PaperContrast: Hashable, Sendable {
  public let claim: String
  public let first: PaperResult
  public let second: PaperResult

  /// Whatever the paper compares the searched architecture with, and policies in the supernet.
  public static let all: [PaperContrast] = [
    .init("Table 5: path-priority over random search, both 60 models", .coco, .randomSearchEqual),
    .init("Table 5: path-priority over EA, both 60 models", .coco, .evolutionEqual),
    .init("Table 5: path-priority over random search, 300 models", .coco, .randomSearch),
    .init("Table 5: path-priority over EA, 1000 models", .coco, .evolution),
    .init("Table 5: EA, 1000 models, over random search, 300", .evolution, .randomSearch),
    .init("Supernet: path-priority over random search, both 60 models", .supernetPathPriority, .supernetRandomEqual),
    .init("Supernet: the composed model over random search, 60 models", .supernetSelected, .supernetRandomEqual),
    .init("Supernet: the composed model over EA, 60 models", .supernetSelected, .supernetEvolutionEqual),
    .init("Supernet: the composed model over random search, 300 models", .supernetSelected, .supernetRandom),
    .init("Supernet: the composed model over EA, 1000 models", .supernetSelected, .supernetEvolution),
    .init("Table 3: searched over the best of five random", .coco, .random),
    .init("Table 3: searched over DetNAS's backbone", .coco, .handCrafted),
    .init("Table 3: searched over plain heads", .coco, .plain),
    .init("Table 2: searched over Panoptic-FPN", .coco, .cocoFPN),
    .init("Table 2: searched over Panoptic-FPN-D", .coco, .cocoDeformableFPN),
    .init("Table 2, ADE20K: searched over Panoptic-FPN", .ade20k, .ade20kFPN),
    .init("Table 2, ADE20K: searched over Panoptic-FPN-D", .ade20k, .ade20kDeformableFPN),
    .init("Components: all searched over none", .coco, .noComponent),
    .init("Components: all searched over the backbone alone", .coco, .backbone),
    .init("Components: all searched over heads alone", .coco, .heads),
    .init("Components: all searched over attention alone", .coco, .attention),
    .init("Components: all searched over backbone and heads", .coco, .backboneHeads),
    .init("Components: all searched over backbone and attention", .coco, .backboneAttention),
    .init("Components: all searched over heads and attention", .coco, .headsAttention),
    .init("Transfer: found on COCO over found on ADE20K, on ADE20K", .cocoToADE20K, .ade20k),
    .init("Transfer: found on ADE20K over found on COCO, on COCO", .ade20kToCOCO, .coco),
  ]

  init(_ claim: String, _ first: PaperResult, _ second: PaperResult) {
    (self.claim, self.first, self.second) = (claim, first, second)
  }
}

/// Differences of rows of the paper's tables seed by seed, with the interval of their mean (method 16.5).
///
/// Runs of one seed share data, supernet and much of the chance in them, so they are compared in pairs.
public struct PairedTable: Sendable {
  /// The differences of one contrast, in PQ points.
  public struct Row: Sendable {
    public let contrast: PaperContrast
    /// Of the seeds that have both results.
    public let differences: [(seed: UInt64, points: Double)]

    public var estimate: MeanEstimate? { MeanEstimate(differences.map(\.points)) }
  }

  /// Of contrasts for which at least two seeds have both results.
  public let rows: [Row]

  /// - Parameter runs: the results of each seed.
  public init(_ runs: [(seed: UInt64, results: PaperResults)]) {
    rows = PaperContrast.all.compactMap { contrast in
      let differences = runs.compactMap { run -> (seed: UInt64, points: Double)? in
        guard let first = run.results[contrast.first]?.first, let second = run.results[contrast.second]?.first
        else { return nil }
        return (run.seed, 100 * (first.pq - second.pq))
      }
      return differences.count < 2 ? nil : Row(contrast: contrast, differences: differences)
    }
  }

  /// Nil where there is no row.
  public var table: ReportTable? {
    guard !rows.isEmpty else { return nil }
    return ReportTable(
      id: "differences", title: "Differences in PQ, seed by seed", labels: ["difference"],
      columns: ["seeds", "mean", "95 % from", "to", "p"],
      rows: rows.map { row in
        let estimate = row.estimate!
        return [
          row.contrast.claim, "\(estimate.count)", estimate.mean.text(digits: 1),
          estimate.interval.map { $0.lower.text(digits: 1) } ?? "",
          estimate.interval.map { $0.upper.text(digits: 1) } ?? "",
          estimate.pValue.map { $0 < 0.001 ? "< 0.001" : $0.text(digits: 3) } ?? "",
        ]
      },
      note: "Pairs of runs with the same seed; intervals and p-values (two-sided) by Student's t over seeds, each for "
        + "itself: of 20 such intervals one misses what it is about. Numbers of models are the paper's.")
  }

  /// A list of objects, qualities in PQ points.
  public var json: CanonicalValue {
    .array(
      rows.map { row in
        let estimate = row.estimate!
        return [
          "claim": .string(row.contrast.claim), "first": .string(row.contrast.first.rawValue),
          "second": .string(row.contrast.second.rawValue),
          "differences": .array(
            row.differences.map { ["seed": .string(String($0.seed)), "points": .number($0.points)] }),
          "mean": .number(estimate.mean), "deviation": estimate.deviation.map { .number($0) } ?? .null,
          "interval": estimate.interval.map { ["lower": .number($0.lower), "upper": .number($0.upper)] } ?? .null,
          "p-value": estimate.pValue.map { .number($0) } ?? .null,
        ]
      })
  }
}

extension PaperTable {
  /// The table with all results as numbers: an object with `id`, `title` and `rows`. A row has its labels and for each
  /// metric what the paper reports (a text, in percent) and the values of all runs in percent.
  public func json(with results: PaperResults) -> CanonicalValue {
    let cells = rows.map { row -> CanonicalValue in
      let found = row.result.flatMap { results[$0] } ?? []
      let columns = metrics.enumerated().map { i, metric -> (String, CanonicalValue) in
        let reported = row.reported.indices.contains(i) ? row.reported[i] : nil
        return (
          metric.rawValue,
          [
            "reported": reported.map { .string($0) } ?? .null,
            "values": .array(found.map { .number(100 * metric.value(of: $0)) }),
          ]
        )
      }
      return [
        "labels": .array(row.labels.map { .string($0) }), "result": row.result.map { .string($0.rawValue) } ?? .null,
        "metrics": .object(Dictionary(uniqueKeysWithValues: columns)),
      ]
    }
    return ["id": .string(id), "title": .string(title), "rows": .array(cells)]
  }
}
