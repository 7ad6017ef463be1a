/// The final table: ratios of summed medians, compared with their targets. Where a row has several baselines, the fastest
/// one of each case is used.
struct TargetTable {
  private struct Sum {
    let row: TargetRow
    let threads: Int
    let work: Work
    var ours = 0.0
    var theirs = 0.0
    /// In how many cases each baseline was the fastest.
    var winners: [String: Int] = [:]

    var ratio: Double { theirs / ours }
    var isMet: Bool { ratio >= row.target }
  }

  private var sums: [Sum] = []

  /// Rows are in the order of the measurements, one for each number of threads.
  init(_ measurements: [Measurement]) {
    for measurement in measurements {
      for (i, their) in measurement.theirs.enumerated() {
        let row = their.baseline.row
        let others = measurement.theirs.enumerated().filter { $0.element.baseline.row == row }
        guard others.min(by: { $0.element.median < $1.element.median })?.offset == i else { continue }
        let known = sums.firstIndex { $0.row == row && $0.threads == measurement.threads }
        let index = known ?? sums.count
        if known == nil { sums.append(Sum(row: row, threads: measurement.threads, work: measurement.item.work)) }
        sums[index].ours += measurement.median
        sums[index].theirs += their.median
        if others.count > 1 { sums[index].winners[their.baseline.name, default: 0] += 1 }
      }
    }
  }

  var isEmpty: Bool { sums.isEmpty }
  var met: Int { sums.count { $0.isMet } }
  var allMet: Bool { met == sums.count }

  var table: String {
    var rows = [["name", "threads", "ours", "peer", "ratio", "target", "met"]]
    for sum in sums {
      rows.append([
        sum.row.name, String(sum.threads), Text.cost(sum.ours, sum.work), Text.cost(sum.theirs, sum.work),
        Text.fixed(sum.ratio, digits: 2), Text.fixed(sum.row.target, digits: 2), sum.isMet ? "yes" : "no",
      ])
    }
    return Text.table(rows, right: [1, 2, 3, 4, 5])
  }

  /// For every row with several baselines, in how many cases each was the fastest.
  var winners: [String] {
    sums.filter { !$0.winners.isEmpty }.map { sum in
      let names = sum.winners.sorted { ($1.value, $0.key) < ($0.value, $1.key) }.map { "\($0.key) in \($0.value)" }
      return "\(sum.row.name), \(sum.threads) thr.: the fastest peer was \(names.joined(separator: ", ")) cases"
    }
  }

  var lastLine: String { "targets met \(met) of \(sums.count)" }
}
