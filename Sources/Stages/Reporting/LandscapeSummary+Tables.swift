import Determinism
import Reports
import Search

extension LandscapeSummary {
  /// Tables by name of their files.
  var tables: [(name: String, table: PlainTable)] {
    [("policies", policyTable), ("variants", variantTable), ("table-5", printedTable)]
  }

  private static func labels(_ landscape: LandscapeDescription) -> [String] {
    [landscape.effects.rawValue, landscape.epistasis.text(digits: 2), landscape.noise.text(digits: 2)]
  }

  private static func text(_ interval: MeanInterval) -> String {
    "\(interval.mean.text(digits: 2)) [\(interval.low.text(digits: 2)), \(interval.high.text(digits: 2))]"
  }

  /// Mean regret of every policy after the numbers of evaluations that are compared.
  private var policyTable: PlainTable {
    let paper = kinds[0].paper.evaluations
    let columns = [
      ("path-priority", paper[0]), ("path-priority-met", paper[0]), ("evolution-small", paper[0]),
      ("random", paper[0]), ("evolution", paper[1]), ("random", paper[2]),
    ]
    return PlainTable(
      header: ["effects", "epistasis", "noise"] + columns.map { "\($0), \($1)" },
      rows: kinds.map { kind in
        LandscapeSummary.labels(kind.landscape)
          + columns.map { name, count in
            let policy = kind.policies.first { $0.policy == name }
            guard let policy, let place = policy.evaluations.firstIndex(of: count) else { return "" }
            return LandscapeSummary.text(policy.regret[place])
          }
      }, labels: 3)
  }

  /// How far each variant of path-priority search is behind it.
  private var variantTable: PlainTable {
    let known = ["path-priority", "path-priority-met", "evolution", "evolution-small", "random", "best-of-five"]
    let rows = kinds.flatMap { kind in
      kind.policies.filter { !known.contains($0.policy) }.flatMap { policy in
        zip(policy.evaluations, policy.behind).compactMap { count, behind in
          behind.map {
            LandscapeSummary.labels(kind.landscape) + [policy.policy, "\(count)", LandscapeSummary.text($0)]
          }
        }
      }
    }
    return PlainTable(
      header: ["effects", "epistasis", "noise", "variant", "evaluations", "behind path-priority"], rows: rows, labels: 4
    )
  }

  /// Where the paper's table 5 comes out.
  private var printedTable: PlainTable {
    PlainTable(
      header: [
        "effects", "epistasis", "noise", "path-priority over evolution", "evolution over random", "in order, %",
        "as printed, %", "deviation, PQ", "residual, PQ",
      ],
      rows: kinds.map { kind in
        LandscapeSummary.labels(kind.landscape) + [
          LandscapeSummary.text(kind.paper.pathPriorityOverEvolution),
          LandscapeSummary.text(kind.paper.evolutionOverRandom), (100 * kind.paper.ordered).text(digits: 0),
          (100 * kind.paper.printed).text(digits: 0), kind.table5.deviation.text(digits: 2),
          kind.table5.residual.text(digits: 2),
        ]
      }, labels: 3)
  }
}
