import Determinism
import Markup
import PipelineModel

/// The numbers that stages measured, as tables.
struct MetricsSection {
  let subject: ReportSubject

  private static let mostInstances = 200
  private static let mostColumns = 12

  var sections: [ReportSection] {
    // What comes last in the pipeline is what it is for.
    let nodes = subject.metrics.reversed().flatMap { $0.artifacts.count == 1 ? single($0) : many($0) }
    return nodes.isEmpty ? [] : [ReportSection(.metrics, id: "metrics", title: "Measured", nodes)]
  }

  private func single(_ numbers: ReportSubject.Numbers) -> [MarkupNode] {
    guard let artifact = numbers.artifacts[0].artifact else { return [] }
    let name = "\(numbers.stage).\(numbers.output)"
    do {
      return ValueTable(subject: subject, name: name, digest: artifact.digest)
        .tables(of: try subject.value(of: artifact))
    } catch {
      return [HTML.paragraph(subject.impersonal("\(name): \(error)"), class: "warning")]
    }
  }

  private typealias Row = (instance: String, artifact: Artifact, numbers: [String: CanonicalValue])

  /// One row for each instance.
  private func many(_ numbers: ReportSubject.Numbers) -> [MarkupNode] {
    let name = "\(numbers.stage).\(numbers.output)"
    let shown = numbers.artifacts.prefix(MetricsSection.mostInstances)
    var rows = [Row]()
    var columns = [String]()
    for (instance, artifact) in shown {
      guard let artifact, let value = try? subject.value(of: artifact) else { continue }
      let found = ValueTable.numbers(of: value)
      for (name, _) in found where !columns.contains(name) { columns.append(name) }
      rows.append((instance, artifact, Dictionary(found.map { ($0.name, $0.value) }, uniquingKeysWith: { a, _ in a })))
    }
    let omittedColumns = max(0, columns.count - MetricsSection.mostColumns)
    columns = Array(columns.prefix(MetricsSection.mostColumns))
    var table = DataTable(
      name, caption: [HTML.code(name), HTML.text(", \(numbers.artifacts.count) instances")],
      columns: [.init("instance"), .init("ID")] + columns.map { .init($0, isNumber: true) })
    table.rows = rows.map { row in
      [[HTML.text(row.instance)], [subject.id(row.artifact.digest)]]
        + columns.map { row.numbers[$0].map(ValueTable.cell) ?? [] }
    }
    table.omitted = numbers.artifacts.count - rows.count
    table.isSortable = true
    var nodes = [table.node]
    if table.rows.count > ValueTable.foldedRows {
      let title = [HTML.text("Each of the \(table.rows.count) instances of \(name)")]
      nodes = [summary(rows, columns, name).node, HTML.details(title, nodes)]
    }
    if omittedColumns > 0 {
      nodes.append(
        HTML.paragraph("\(omittedColumns) more numbers of each instance are in its artifact.", class: "note"))
    }
    return nodes
  }

  /// The least and the greatest of every number, and where they are.
  private func summary(_ rows: [Row], _ columns: [String], _ name: String) -> DataTable {
    var table = DataTable(
      "\(name), \(rows.count) instances",
      columns: [.init("number"), .init("least", isNumber: true), .init("of")]
        + [.init("greatest", isNumber: true), .init("of")])
    for column in columns {
      let found = rows.compactMap { row in row.numbers[column].map { (row.artifact.digest, $0) } }
      guard let least = found.min(by: { $0.1.numberValue! < $1.1.numberValue! }),
        let most = found.max(by: { $0.1.numberValue! < $1.1.numberValue! })
      else { continue }
      table.rows.append(
        [[HTML.text(column)], [HTML.number(least.1)], [subject.id(least.0)]]
          + [[HTML.number(most.1)], [subject.id(most.0)]])
    }
    return table
  }
}
