import Search

extension Leaderboard {
  /// The points of every choice, a line per layer; the selected choice is marked with `*`.
  public var table: String {
    let best = selection().choices
    let most = space.choicesPerLayer.max() ?? 0
    var table = TextTable([("layer", .left)] + (0..<most).map { ("\($0)", .right) })
    for part in SearchSpace.Part.allCases {
      for (index, layer) in space.range(of: part).enumerated() {
        let cells = scores[layer].enumerated().map { choice, points in
          choice == best[layer] ? "\(points)*" : "\(points) "
        }
        table.add(["\(part.rawValue) \(index)"] + cells + [String](repeating: "", count: most - cells.count))
      }
    }
    return table.text
  }
}

/// Evaluations by descending fitness, ties in the order of generation.
/// - Parameter errors: standard errors in the order of `evaluations`; empty where there are none.
public func evaluationTable(_ evaluations: [Evaluation], errors: [Double?] = [], limit: Int = .max) -> String {
  var table = TextTable([("rank", .right), ("model", .right), ("PQ", .right), ("±", .right), ("choices", .left)])
  for (rank, model) in Leaderboard.ranking(evaluations).prefix(limit).enumerated() {
    let error = model < errors.count ? errors[model].map { fixed(100 * $0, 2) } ?? "" : ""
    table.add([
      "\(rank + 1)", "\(model)", fixed(100 * evaluations[model].fitness, 2), error,
      evaluations[model].genome.description,
    ])
  }
  return table.text
}
