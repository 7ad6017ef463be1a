import Determinism
import Markup
import PipelineModel

/// Parameters that differ from those of the profile.
struct ParametersSection {
  let subject: ReportSubject
  let options: ReportOptions

  private static let mostRows = 300

  var section: ReportSection {
    ReportSection(.parameters, id: "parameters", title: "Changed parameters", nodes)
  }

  private var nodes: [MarkupNode] {
    let profile = options.profile.map { "the profile '\($0)'" } ?? "the pipeline file"
    guard let standard = options.standard else {
      return [
        HTML.paragraph("What the pipeline file says is not known here; all parameters are listed with the stages.")
      ]
    }
    var table = DataTable(
      "Parameters that differ from \(profile)",
      columns: [.init("stage"), .init("parameter"), .init("of the file"), .init("here")])
    let others = Dictionary(standard.stages.map { (ByteName($0.name), $0) }, uniquingKeysWith: { a, _ in a })
    for node in subject.pipeline.stages {
      guard let other = others[ByteName(node.name)] else { continue }
      if other.kind.name != node.kind.name { table.add([node.name, "(kind)", other.kind.name, node.kind.name]) }
      if node.kind.isRandom, other.seed != node.seed {
        table.add([node.name, "seed", "\(other.seed)", "\(node.seed)"])
      }
      let differences = ValueDifference.all(
        between: other.prepared.parameters, and: node.prepared.parameters, limit: ParametersSection.mostRows)
      for difference in differences { table.add([node.name, difference.path, difference.old, difference.new]) }
    }
    guard !table.rows.isEmpty else {
      return [HTML.paragraph("None: all parameters are those of \(profile). They are listed with the stages.")]
    }
    table.omitted = max(0, table.rows.count - ParametersSection.mostRows)
    table.rows = Array(table.rows.prefix(ParametersSection.mostRows))
    return [table.node]
  }
}
