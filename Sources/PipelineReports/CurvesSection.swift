import Determinism
import Markup
import PipelineModel

/// What trainings measured step after step, as curves.
struct CurvesSection {
  let subject: ReportSubject

  /// Instances of a fanned-out stage that are drawn: as many as have colours.
  private static let drawnInstances = 8

  var sections: [ReportSection] {
    let nodes = subject.histories.flatMap { $0.artifacts.count == 1 ? single($0) : many($0) }
    return nodes.isEmpty ? [] : [ReportSection(.curves, id: "curves", title: "Curves", nodes)]
  }

  private func history(_ artifact: Artifact, _ name: String) -> (History?, [MarkupNode]) {
    do {
      if let history = History(canonical: try subject.value(of: artifact)) { return (history, []) }
      return (nil, [HTML.paragraph("\(name): not of the form of numbers over steps", class: "warning")])
    } catch {
      return (nil, [HTML.paragraph(subject.impersonal("\(name): \(error)"), class: "warning")])
    }
  }

  private func single(_ numbers: ReportSubject.Numbers) -> [MarkupNode] {
    guard let artifact = numbers.artifacts[0].artifact else { return [] }
    let name = "\(numbers.stage).\(numbers.output)"
    let (found, problem) = history(artifact, name)
    guard let history = found else { return problem }
    let rows =
      "\(history.rows.count) points" + (history.stepsPerRow > 1 ? ", each the mean of \(history.stepsPerRow)" : "")
    var nodes = [HTML.heading(subject.source(name, artifact.digest))]
    guard !history.rows.isEmpty else { return nodes + [HTML.paragraph("No step was made.")] }
    let charts = history.groups.map { group in
      LineChart(
        title: name.withoutHiddenControls, unit: history.unit.withoutHiddenControls,
        lines: group.map { .init(name: history.names[$0].withoutHiddenControls, points: history.points($0)) },
        width: group == history.groups.first ? 540 : 340)
    }
    nodes.append(
      MarkupNode(
        "figure", [("class", "curves")],
        charts.map(\.inline) + [MarkupNode("figcaption", [], [HTML.text("\(numbers.stage): \(rows).")])]))
    nodes.append(HTML.details([HTML.text("Numbers of \(name)")], [table(of: history, name, artifact.digest).node]))
    return nodes
  }

  /// The first and the last value of every number, and its least and greatest.
  private func table(of history: History, _ name: String, _ digest: Digest) -> DataTable {
    let columns = ["first", "least", "at", "greatest", "at", "last"].map { DataTable.Column($0, isNumber: true) }
    var table = DataTable(name, caption: subject.source(name, digest), columns: [.init("number")] + columns)
    for (i, number) in history.names.enumerated().prefix(ValueTable.mostRows) {
      let found = history.rows.compactMap { row in row.values[i].map { (step: row.step, value: $0) } }
      guard let first = found.first, let last = found.last, let least = found.min(by: { $0.value < $1.value }),
        let most = found.max(by: { $0.value < $1.value })
      else { continue }
      func cell(_ value: Double) -> DataTable.Cell { [HTML.number(.number(value))] }
      table.rows.append(
        [[HTML.text(number)], cell(first.value), cell(least.value), cell(Double(least.step)), cell(most.value)]
          + [cell(Double(most.step)), cell(last.value)])
    }
    return table
  }

  /// The first number of each instance in one picture, and the last values of all.
  private func many(_ numbers: ReportSubject.Numbers) -> [MarkupNode] {
    let name = "\(numbers.stage).\(numbers.output)"
    var lines = [LineChart.Line]()
    var table: DataTable?
    var unit = "steps"
    for (instance, artifact) in numbers.artifacts.prefix(ValueTable.mostRows) {
      guard let artifact, let history = history(artifact, name).0, let last = history.rows.last else { continue }
      if table == nil {
        table = DataTable(
          "\(name), last values",
          columns: [.init("instance"), .init("ID")]
            + history.names.map { .init($0, isNumber: true) })
        unit = history.unit
      }
      if lines.count < CurvesSection.drawnInstances, !history.names.isEmpty {
        lines.append(.init(name: instance.withoutHiddenControls, points: history.points(0)))
      }
      guard last.values.count == table!.columns.count - 2 else { continue }
      table!.rows.append(
        [[HTML.text(instance)], [subject.id(artifact.digest)]]
          + last.values.map { $0.map { ValueTable.cell(.number($0)) } ?? [] })
    }
    guard var table else { return [] }
    table.omitted = numbers.artifacts.count - table.rows.count
    table.isSortable = true
    let drawn = table.columns[2].title
    let chart = LineChart(title: name.withoutHiddenControls, unit: unit.withoutHiddenControls, lines: lines)
    let caption = "\(drawn) of \(lines.count) of \(numbers.artifacts.count) instances."
    return [
      HTML.heading([HTML.code(name)]),
      MarkupNode(
        "figure", [("class", "curves")], [chart.inline, MarkupNode("figcaption", [], [HTML.text(caption)])]),
      table.node,
    ]
  }
}
