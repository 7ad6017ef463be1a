import Determinism
import Models
import Search

/// What `explain-rankings` found, as an artifact. Qualities are in [0, 1], shares those of the variance of the means of
/// architectures over their retrainings.
struct FactorReport: Codable, Sendable {
  struct Level: Codable, Sendable {
    var level: String
    var architectures: Int
    var mean: Double
    var standardError: Double?
    var interval: ConfidenceInterval?

    enum CodingKeys: String, CodingKey {
      case level, architectures, mean, interval
      case standardError = "standard-error"
    }
  }

  struct Effect: Codable, Sendable {
    var factor: String
    var levels: [Level]
    var degrees: Int
    var share: Double
    var adjusted: Double
    var pValue: Double
    /// That the best of all factors does as well by chance.
    var pValueAmongAll: Double

    enum CodingKeys: String, CodingKey {
      case factor, levels, degrees, share, adjusted
      case pValue = "p-value"
      case pValueAmongAll = "p-value-among-all"
    }
  }

  /// Architectures that share a level of the strongest factor.
  struct Group: Codable, Sendable {
    var level: String
    var architectures: Int
    var share: VarianceShare?
  }

  struct Strongest: Codable, Sendable {
    var factor: String
    var share: Double
    var adjusted: Double
    var pValueAmongAll: Double
    /// Share of the variance of single retrainings that architectures account for within the levels of this factor, over
    /// all architectures: what the factor explains counts for neither. Too small rather than too large, since the factor
    /// was chosen because it explains most.
    var within: VarianceShare?
    /// The same among the architectures of the most frequent level alone.
    var largestGroup: Group

    enum CodingKeys: String, CodingKey {
      case factor, share, adjusted, within
      case pValueAmongAll = "p-value-among-all"
      case largestGroup = "largest-group"
    }
  }

  struct Step: Codable, Sendable {
    var factor: String
    /// What it adds.
    var share: Double
    var pValueAmongAll: Double
    var together: Double
    var togetherAdjusted: Double

    enum CodingKeys: String, CodingKey {
      case factor, share, together
      case pValueAmongAll = "p-value-among-all"
      case togetherAdjusted = "together-adjusted"
    }
  }

  /// Of an architecture that differs from the first one in one layer, or in one component whose layers are all alike.
  struct Difference: Codable, Sendable {
    var change: String
    var mean: Double
    /// Of this mean and that of the first architecture.
    var difference: Double
    /// 95 %, from the spread of retrainings.
    var interval: ConfidenceInterval?
    var pValue: Double?
    /// After Holm (1979), for all these differences together.
    var pValueAmongAll: Double?

    enum CodingKeys: String, CodingKey {
      case change, mean, difference, interval
      case pValue = "p-value"
      case pValueAmongAll = "p-value-among-all"
    }
  }

  var architectures: Int
  var retrainings: Int
  var mean: Double
  var within: Double?
  var between: Double?
  /// Of the variance of single retrainings.
  var share: VarianceShare?
  /// Share of the variance of means that architectures account for: more cannot be explained.
  var explainable: Double?
  var factors: [Effect]
  var strongest: Strongest?
  /// The strongest factors one after the other, as long as chance would hardly do as well.
  var steps: [Step]
  var differences: [Difference]
}

extension FactorReport {
  /// - Parameter retrained: qualities of each architecture, equally many, at least one.
  init(_ models: [Architecture], retrained: [[Double]], _ network: NetworkConfiguration) {
    let seeds = retrained.first?.count ?? 0
    let means = retrained.map { $0.reduce(0, +) / Double(max(1, $0.count)) }
    let found = ArchitectureFactors.all(of: models, network)
    // Fixed, as those of `RankingAgreement`.
    let screen = FactorScreen(means, factors: found, seeds: Seeds(kind: ExplainRankingsStage.name, seed: 0))
    let components = VarianceComponents(retrained)
    architectures = models.count
    retrainings = seeds
    mean = means.reduce(0, +) / Double(max(1, means.count))
    within = components?.within
    between = components?.between
    share = components.map(VarianceShare.init)
    explainable = components.map { components in
      let (own, noise) = (components.between * components.between, components.within * components.within)
      return own / (own + noise / Double(seeds))
    }
    factors = screen.effects.map { effect in
      let factor = found[effect.factor]
      return Effect(
        factor: factor.name, levels: factor.means(of: means).map { Level($0, of: factor) }, degrees: effect.degrees,
        share: effect.share, adjusted: effect.adjusted, pValue: effect.pValue,
        pValueAmongAll: effect.pValueAmongAll)
    }
    strongest = screen.effects.first.map { Strongest($0, found[$0.factor], retrained) }
    steps = screen.steps.map { step in
      Step(
        factor: found[step.effect.factor].name, share: step.effect.share,
        pValueAmongAll: step.effect.pValueAmongAll, together: step.together,
        togetherAdjusted: step.togetherAdjusted)
    }
    differences = FactorReport.differences(models, retrained, means, network)
  }

  private static func differences(
    _ models: [Architecture], _ retrained: [[Double]], _ means: [Double], _ network: NetworkConfiguration
  ) -> [Difference] {
    let seeds = retrained.first?.count ?? 0
    let noise = VarianceComponents(retrained)?.within
    let degrees = models.count * (seeds - 1)
    var found = zip(models, means).dropFirst().compactMap { model, mean -> Difference? in
      guard let change = ArchitectureDifference.text(model, from: models[0], network) else { return nil }
      let difference = mean - means[0]
      guard let noise, noise > 0 else { return Difference(change: change, mean: mean, difference: difference) }
      let error = noise * (2 / Double(seeds)).squareRoot()
      return Difference(
        change: change, mean: mean, difference: difference,
        interval: ConfidenceInterval(difference, standardError: error, degreesOfFreedom: degrees),
        pValue: StudentDistribution(degreesOfFreedom: Double(degrees)).twoSidedTail(difference / error))
    }
    let p = found.compactMap(\.pValue)
    if p.count == found.count {
      for (i, adjusted) in MultipleTests.holm(p).enumerated() { found[i].pValueAmongAll = adjusted }
    }
    return found
  }
}

extension FactorReport.Level {
  init(_ found: Factor.LevelMean, of factor: Factor) {
    level = factor.levels[found.level]
    architectures = found.models
    mean = found.mean
    standardError = found.standardError
    interval = found.interval
  }
}

extension FactorReport.Strongest {
  init(_ effect: FactorScreen.Effect, _ factor: Factor, _ retrained: [[Double]]) {
    self.factor = factor.name
    share = effect.share
    adjusted = effect.adjusted
    pValueAmongAll = effect.pValueAmongAll
    within = VarianceComponents(retrained, levels: factor.values).map(VarianceShare.init)
    let sizes = factor.levels.indices.map { level in factor.values.count { $0 == level } }
    let largest = sizes.indices.max { (sizes[$0], -$0) < (sizes[$1], -$1) }!
    let own = zip(retrained, factor.values).filter { $0.1 == largest }.map(\.0)
    largestGroup = FactorReport.Group(
      level: factor.levels[largest], architectures: own.count,
      share: VarianceComponents(own).map(VarianceShare.init))
  }
}
