import Panoptic
import Pipelines
import Reports
import Search

/// Whether the supernet ranks architectures as retraining does, and how far apart retrainings of one architecture are:
/// what a search in this supernet can know at all.
struct CompareRankingsStage: Stage {
  static let name = "compare-rankings"
  static let version = 1
  static let summary = "compares the order of architectures in the supernet with that of their retrainings"
  /// The same architectures in the same order; `again` from other seeds.
  static let inputs = [
    InputPort("supernet", "json", list: true), InputPort("retrained", "json", list: true),
    InputPort("again", "json", list: true),
  ]
  static let outputs = [OutputPort("agreement", "json"), OutputPort("figure", "tree")]
  static let highlights = [
    Highlight("tau", of: "agreement", at: "supernet-retrained"),
    Highlight("tau of two retrainings", of: "agreement", at: "retrained-again"),
    Highlight("deviation of retrainings", of: "agreement", at: "within", scale: 100),
    Highlight("of architectures", of: "agreement", at: "between", scale: 100),
  ]

  init(parameters: NoParameters) {}

  func run(in context: StageContext) throws {
    let supernet = try context.inputs("supernet").map { try $0.candidate().pq }
    func qualities(_ port: String) throws -> [Double] {
      let all = try context.inputs(port).map { try TabulateStage.result($0.json()).pq }
      guard all.count == supernet.count else {
        throw StageInputError(
          description: "\(supernet.count) architectures in the supernet, but \(all.count) results of '\(port)'")
      }
      return all
    }
    let (first, second) = (try qualities("retrained"), try qualities("again"))
    // Untrained networks may all be worth the same.
    guard first != second || Set(first).count <= 1 else {
      throw StageInputError(description: "'retrained' and 'again' are the same retrainings; they need different seeds")
    }
    let pairs = zip(first, second).map { [$0, $1] }
    let report = RankingAgreement(supernet: supernet, retrained: pairs)
    try context.write("agreement", json: report)
    let plot = RankingPlot(
      title: "\(supernet.count) architectures, in the supernet and retrained twice",
      models: zip(supernet, pairs).map { .init(supernet: $0, retrained: $1) })
    try context.write("figure", svg: plot.svg, named: "ranking")
  }
}

/// What came out, as an artifact. Qualities are in [0, 1].
struct RankingAgreement: Codable, Sendable {
  struct Model: Codable, Sendable {
    var supernet: Double
    var retrained: [Double]
  }

  var models: [Model]
  /// Kendall's τ_b of the order in the supernet and that of one retraining, the mean over both; nil where there is no
  /// order.
  var supernetRetrained: Double?
  /// Of the two retrainings with each other: what the supernet would reach if it were as good a judge as a retraining.
  var retrainedAgain: Double?
  /// Standard deviations of retrainings of one architecture, and of the architectures themselves.
  var within: Double?
  var between: Double?
  /// Share of the variance of single retrainings that the architectures account for.
  var reliability: Double?

  enum CodingKeys: String, CodingKey {
    case models, within, between, reliability
    case supernetRetrained = "supernet-retrained"
    case retrainedAgain = "retrained-again"
  }

  /// - Parameter retrained: two qualities of each model.
  init(supernet: [Double], retrained: [[Double]]) {
    models = zip(supernet, retrained).map { Model(supernet: $0, retrained: $1) }
    let (first, second) = (retrained.map { $0[0] }, retrained.map { $0[1] })
    if let a = RankCorrelation.kendall(supernet, first), let b = RankCorrelation.kendall(supernet, second) {
      supernetRetrained = (a + b) / 2
    }
    retrainedAgain = RankCorrelation.kendall(first, second)
    let components = VarianceComponents(retrained)
    within = components?.within
    between = components?.between
    reliability = components?.reliability
  }
}
