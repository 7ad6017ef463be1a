import Determinism
import Reports
import Search

extension LandscapeSummary {
  private var effects: [EffectDistribution] {
    EffectDistribution.allCases.filter { value in kinds.contains { $0.landscape.effects == value } }
  }
  private var noises: [Double] { Set(kinds.map(\.landscape.noise)).sorted() }
  private var shares: [Double] { Set(kinds.map(\.landscape.epistasis)).sorted() }

  private func kind(_ effects: EffectDistribution, _ epistasis: Double, _ noise: Double) -> Kind? {
    kinds.first { $0.landscape == LandscapeDescription(effects: effects, epistasis: epistasis, noise: noise) }
  }

  /// Drawings by name.
  var figures: [(name: String, svg: String)] {
    effects.flatMap { effects in
      [
        (
          "regret-\(effects.rawValue)",
          regretGrid("Regret over evaluations", effects, LandscapeSummary.policies).svg
        ),
        (
          "variants-\(effects.rawValue)",
          regretGrid("Variants of path-priority search", effects, LandscapeSummary.variants).svg
        ),
      ]
    } + [
      ("policies-paper", map(of: \.paper, "as many evaluations as in the paper").svg),
      ("policies-equal", map(of: \.equal, "equal numbers of evaluations").svg),
    ]
  }

  private static let policies = ["path-priority", "evolution", "random", "path-priority-met"]
  private static let variants = [
    "path-priority", "cycles-of-60", "fair-fitness", "uniform-points", "uniform-mean-points", "uniform-fitness",
  ]

  private func regretGrid(_ title: String, _ effects: EffectDistribution, _ names: [String]) -> RegretGrid {
    let panels = shares.map { epistasis in
      noises.map { noise in
        names.map { name in
          let policy = kind(effects, epistasis, noise)?.policies.first { $0.policy == name }
          return RegretGrid.Curve(
            name: name,
            points: policy.map { policy in
              zip(policy.evaluations, policy.regret).map {
                .init(evaluations: $0, mean: $1.mean, low: $1.low, high: $1.high)
              }
            } ?? [])
        }
      }
    }
    return RegretGrid(
      title: "\(title), effects \(effects.rawValue)",
      columns: noises.map { "noise \($0.text(digits: 2))" }, rows: shares.map { "epistasis \($0.text(digits: 2))" },
      panels: panels)
  }

  private func map(of order: KeyPath<Kind, PolicyOrder>, _ numbers: String) -> PolicyMap {
    let counts = kinds[0][keyPath: order].evaluations
    let most = kinds.map { $0[keyPath: order].printed }.max() ?? 0
    let panels = effects.map { effects in
      PolicyMap.Panel(
        title: "effects \(effects.rawValue)",
        cells: shares.map { epistasis in
          noises.map { noise in
            guard let order = kind(effects, epistasis, noise)?[keyPath: order] else { return nil }
            let (place, lead, isCertain) = order.winner
            return PolicyMap.Cell(
              winner: place, lead: lead, isCertain: isCertain,
              note: "\((100 * order.ordered).text(digits: 0)) / \((100 * order.printed).text(digits: 0)) %",
              isMarked: order.printed > 0 && order.printed >= 0.75 * most)
          }
        })
    }
    return PolicyMap(
      title: "Which policy wins where: \(numbers)",
      policies: zip(["path-priority", "evolution", "random"], counts).map { "\($0), \($1)" },
      columns: noises.map { $0.text(digits: 2) }, rows: shares.map { $0.text(digits: 2) }, across: "noise",
      down: "epistasis", panels: panels,
      caption: [
        "Number: how much less regret the winner has than the second, in standard deviations of random models; pale: its "
          + "95 % interval reaches 0.",
        "Below: share of landscapes in the paper's order (path-priority, evolution, random), and of those where neither "
          + "difference is more than twice the other as well.",
        "Of three policies that choose at random one sixth would be in order (17 %). Frame: where the second share is at "
          + "least three quarters of the largest.",
      ])
  }
}
