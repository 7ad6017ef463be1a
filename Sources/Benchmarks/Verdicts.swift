/// The table at the end: ratios of summed medians against their targets.
struct Verdicts {
  private struct Sum {
    let row: Row
    let threads: Int
    let work: Work
    var ours = 0.0
    var theirs = 0.0

    var ratio: Double { theirs / ours }
    var isMet: Bool { ratio >= row.target }
  }

  private var sums: [Sum] = []

  /// In the order of the measurements; rows measured at several numbers of threads count once for each.
  init(_ measurements: [Measurement]) {
    for measurement in measurements {
      for their in measurement.theirs {
        let row = their.opponent.row
        let known = sums.firstIndex { $0.row == row && $0.threads == measurement.threads }
        let index = known ?? sums.count
        if known == nil { sums.append(Sum(row: row, threads: measurement.threads, work: measurement.item.work)) }
        sums[index].ours += measurement.median
        sums[index].theirs += their.median
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

  var lastLine: String { "targets met \(met) of \(sums.count)" }
}
