import Determinism
import Search

/// What `compare-rankings` found, as an artifact. Qualities are in [0, 1].
struct RankingAgreement: Codable, Sendable {
  struct Model: Codable, Sendable {
    var supernet: Double
    var retrained: [Double]
  }

  var models: [Model]
  /// Order in the supernet and that of the means of all retrainings; nil where there is no order.
  var supernetRetrained: Agreement?
  /// Mean τ_b of the order in the supernet and that of one retraining: less, since one retraining knows less.
  var supernetSingle: Double?
  /// Of the retrainings with each other: what the supernet would reach if it were as good a judge as one retraining, to be
  /// compared with `supernetSingle`.
  var retrainedAgain: Agreement?
  /// Standard deviations of retrainings of one architecture, and of the architectures themselves.
  var within: Double?
  var between: Double?
  /// Share of the variance of single retrainings that the architectures account for.
  var share: VarianceShare?

  enum CodingKeys: String, CodingKey {
    case models, within, between, share
    case supernetRetrained = "supernet-retrained"
    case supernetSingle = "supernet-single"
    case retrainedAgain = "retrained-again"
  }

  /// - Parameter retrained: qualities of each model, equally many.
  init(supernet: [Double], retrained: [[Double]]) {
    models = zip(supernet, retrained).map { Model(supernet: $0, retrained: $1) }
    // Fixed: they decide how exact an interval is, and are no part of the experiment.
    let seeds = Seeds(kind: CompareRankingsStage.name, seed: 0)
    let means = retrained.map { $0.reduce(0, +) / Double(max(1, $0.count)) }
    let judges = (0..<(retrained.first?.count ?? 0)).map { seed in retrained.map { $0[seed] } }
    supernetRetrained = RankAgreement(supernet, means, seeds: seeds).map(Agreement.init)
    let single = judges.compactMap { RankCorrelation.kendall(supernet, $0) }
    supernetSingle = single.isEmpty ? nil : single.reduce(0, +) / Double(single.count)
    retrainedAgain = judges.count < 2 ? nil : RankAgreement(among: judges, seeds: seeds).map(Agreement.init)
    let components = VarianceComponents(retrained)
    within = components?.within
    between = components?.between
    share = components.map(VarianceShare.init)
  }

  /// What a figure says below its title.
  var notes: [String] {
    func text(_ name: String, _ value: Double, _ interval: ConfidenceInterval?, _ p: Double?) -> String {
      "\(name) \(value.text(digits: 2))"
        + (interval.map { " (95 %: \($0.lower.text(digits: 2)) to \($0.upper.text(digits: 2)))" } ?? "")
        + (p.map { ", p \($0 < 0.0001 ? "< 0.0001" : $0.text(digits: 4))" } ?? "")
    }
    return [
      share.map { text("share of variance of architectures", $0.value, $0.interval, $0.pValue) },
      supernetRetrained.map { text("tau of supernet and retrainings", $0.tau, $0.interval, $0.pValue) },
      retrainedAgain.map { text("tau of retrainings", $0.tau, $0.interval, $0.pValue) },
    ].compactMap(\.self)
  }
}

/// Kendall's τ_b as artifacts say it.
struct Agreement: Codable, Sendable {
  var tau: Double
  /// 95 %, from a bootstrap over the architectures; nil for fewer than four.
  var interval: ConfidenceInterval?
  /// Two-sided, of judges that know nothing of each other.
  var pValue: Double
  var test: RankAgreement.Test

  enum CodingKeys: String, CodingKey {
    case tau, interval, test
    case pValue = "p-value"
  }

  init(_ found: RankAgreement) { (tau, interval, pValue, test) = (found.tau, found.interval, found.pValue, found.test) }
}

/// The share of the variance of single retrainings that architectures account for, as artifacts say it.
struct VarianceShare: Codable, Sendable {
  var value: Double
  /// 95 %, exact for normal qualities; nil where all retrainings of each architecture are equal.
  var interval: ConfidenceInterval?
  /// Of architectures that do not differ.
  var pValue: Double?

  enum CodingKeys: String, CodingKey {
    case value, interval
    case pValue = "p-value"
  }

  init(_ found: VarianceComponents) { (value, interval, pValue) = (found.reliability, found.interval, found.pValue) }
}
