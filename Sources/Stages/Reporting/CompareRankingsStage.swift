import Determinism
import Panoptic
import Pipelines
import Reports
import Search

/// Whether the supernet ranks architectures as retraining does, and how far apart retrainings of one architecture are:
/// what a search in this supernet can know at all (method 16).
struct CompareRankingsStage: Stage {
  static let name = "compare-rankings"
  static let version = 2
  static let summary = "compares the order of architectures in the supernet with that of their retrainings"
  /// The same architectures in the same order; what `RetrainedQualities` says of all but the first.
  static let inputs = [InputPort("supernet", "json", list: true)] + RetrainedQualities.inputs
  static let outputs = [OutputPort("agreement", "json"), OutputPort("figure", "tree")]
  static let highlights = [
    Highlight("share of architectures", of: "agreement", at: "share.value"),
    Highlight("at least", of: "agreement", at: "share.interval.lower"),
    Highlight("at most", of: "agreement", at: "share.interval.upper"),
    Highlight("tau", of: "agreement", at: "supernet-retrained.tau"),
    Highlight("p", of: "agreement", at: "supernet-retrained.p-value"),
    Highlight("tau of retrainings", of: "agreement", at: "retrained-again.tau"),
    Highlight("deviation of retrainings", of: "agreement", at: "within", scale: 100),
    Highlight("of architectures", of: "agreement", at: "between", scale: 100),
  ]

  init(parameters: NoParameters) {}

  func run(in context: StageContext) throws {
    let supernet = try context.inputs("supernet").map { try $0.candidate().pq }
    let retrained = try RetrainedQualities(of: context, count: supernet.count, "architectures in the supernet")
    let report = RankingAgreement(supernet: supernet, retrained: retrained.models)
    try context.write("agreement", json: report)
    let plot = RankingPlot(
      title: "\(supernet.count) architectures, in the supernet and retrained \(retrained.seeds) times",
      notes: report.notes, models: zip(supernet, retrained.models).map { .init(supernet: $0, retrained: $1) })
    try context.write("figure", svg: plot.svg, named: "ranking")
  }
}

/// The qualities of architectures that were each retrained from several seeds.
struct RetrainedQualities {
  /// `retrained` from one seed; the others from further ones, each the same architectures in the same order.
  static let inputs = [
    InputPort("retrained", "json", list: true), InputPort("again", "json", optional: true, list: true),
    InputPort("third", "json", optional: true, list: true), InputPort("fourth", "json", optional: true, list: true),
  ]

  /// Of each architecture, its panoptic quality in [0, 1] from each seed.
  let models: [[Double]]
  let seeds: Int

  /// - Parameters:
  ///   - count: of architectures.
  ///   - what: names them in errors.
  /// - Throws: for another number of results, and for results of one seed that are given twice.
  init(of context: StageContext, count: Int, _ what: String) throws {
    var runs = [(port: String, qualities: [Double])]()
    for port in RetrainedQualities.inputs {
      let results = context.inputs(port.name)
      if port.isOptional && results.isEmpty { continue }
      let qualities = try results.map { try TabulateStage.result($0.json()).pq }
      guard qualities.count == count else {
        throw StageInputError(description: "\(count) \(what), but \(qualities.count) results of '\(port.name)'")
      }
      // Untrained networks may all be worth the same.
      if let same = runs.first(where: { $0.qualities == qualities }), Set(qualities).count > 1 {
        throw StageInputError(
          description: "'\(same.port)' and '\(port.name)' are the same retrainings; they need different seeds")
      }
      runs.append((port.name, qualities))
    }
    seeds = runs.count
    models = (0..<count).map { model in runs.map { $0.qualities[model] } }
  }
}
