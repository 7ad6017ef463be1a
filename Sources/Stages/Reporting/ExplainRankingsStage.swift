import Determinism
import Models
import Pipelines
import Reports
import Search

/// Which choices of architectures explain what they are worth after retraining, and how much architectures differ beside
/// the strongest one (method 16.3).
struct ExplainRankingsStage: Stage {
  struct Parameters: NetworkParameters {
    /// That of the retrainings: it gives layers and operators their names.
    var network = NetworkConfiguration()
    init() {}
  }

  static let name = "explain-rankings"
  static let version = 1
  static let summary = "explains the quality of retrained architectures by the choices of their layers"
  static let inputs = [InputPort("architectures", "json")] + RetrainedQualities.inputs
  static let outputs = [OutputPort("factors", "json"), OutputPort("figure", "tree")]
  static let highlights = [
    Highlight("share of architectures", of: "factors", at: "share.value"),
    Highlight("at least", of: "factors", at: "share.interval.lower"),
    Highlight("explained by the strongest factor", of: "factors", at: "strongest.share"),
    Highlight("p among all factors", of: "factors", at: "strongest.p-value-among-all"),
    Highlight("share of architectures within it", of: "factors", at: "strongest.within.value"),
    Highlight("at least", of: "factors", at: "strongest.within.interval.lower"),
  ]

  let parameters: Parameters

  init(parameters: Parameters) throws {
    try parameters.network.check(at: "network")
    self.parameters = parameters
  }

  func run(in context: StageContext) throws {
    let input = context.input("architectures")
    let models = try input.decoded(as: [Architecture].self)
    for (i, model) in models.enumerated() {
      try parameters.network.validate(model, place: "\(input.path): [\(i)]")
    }
    guard !models.isEmpty else { throw StageInputError(description: "\(input.path): there are no architectures") }
    let retrained = try RetrainedQualities(of: context, count: models.count, "architectures").models
    let report = FactorReport(models, retrained: retrained, parameters.network)
    if let strongest = report.strongest {
      context.log(
        "strongest factor: \(strongest.factor), \((100 * strongest.share).text(digits: 0)) % of variance, p "
          + "\(strongest.pValueAmongAll.text(digits: 3)) among \(report.factors.count) factors")
    }
    try context.write("factors", json: report)
    try context.write("figure") { folder in
      try FileIO.write(Array(report.factorPlot.svg.utf8), to: "\(folder)/factors.svg")
      if let plot = report.differencePlot {
        try FileIO.write(Array(plot.svg.utf8), to: "\(folder)/differences.svg")
      }
    }
  }
}

extension FactorReport {
  /// Means by level of the strongest factors.
  var factorPlot: IntervalPlot {
    IntervalPlot(
      title: "PQ of \(architectures) architectures by what they have", axis: "mean PQ with its 95 % interval",
      reference: mean,
      groups: factors.prefix(12).map { effect in
        .init(
          title: "\(effect.factor): \((100 * effect.share).text(digits: 0)) % of variance, p "
            + "\(effect.pValueAmongAll.text(digits: 3)) among \(factors.count)",
          rows: effect.levels.map {
            .init(label: "\($0.level) (\($0.architectures))", value: $0.mean, interval: $0.interval)
          })
      })
  }

  /// Nil where no architecture differs from the first in one thing alone.
  var differencePlot: IntervalPlot? {
    differences.isEmpty
      ? nil
      : IntervalPlot(
        title: "PQ beside that of the first architecture",
        axis: "difference of means of \(retrainings) retrainings, 95 % interval", reference: 0,
        groups: [
          .init(
            title: "", rows: differences.map { .init(label: $0.change, value: $0.difference, interval: $0.interval) })
        ])
  }
}
