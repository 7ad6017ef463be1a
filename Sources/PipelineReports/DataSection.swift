import Determinism
import Markup
import PipelineModel
import PipelineRunner

/// Where everything began: files of the user, and stages that make their data themselves.
struct DataSection {
  let subject: ReportSubject

  var section: ReportSection {
    let sources = subject.graph.wanted.filter { subject.pipeline.stages[$0].kind.isSource }
    let makers = subject.graph.wanted.filter {
      let node = subject.pipeline.stages[$0]
      return !node.kind.isSource && node.bindings.isEmpty
    }
    var nodes = [MarkupNode]()
    if !sources.isEmpty { nodes.append(table(sources).node) }
    if !makers.isEmpty {
      let names = makers.prefix(ValueTable.mostRows).map { subject.pipeline.stages[$0] }.map { node in
        MarkupNode("li", [], [HTML.code(node.name), HTML.text(" \(node.kind.summary)")])
      }
      nodes.append(HTML.paragraph("Stages that read nothing, so that their parameters and seed say all:"))
      nodes.append(MarkupNode("ul", [], names))
    }
    if nodes.isEmpty { nodes.append(HTML.paragraph("The pipeline has no stages that begin it.")) }
    return ReportSection(.data, id: "data", title: "Where it came from", nodes)
  }

  private func table(_ sources: [Int]) -> DataTable {
    var table = DataTable(
      "Files from outside",
      columns: [.init("source"), .init("kind"), .init("files", isNumber: true), .init("bytes", isNumber: true)]
        + [.init("ID"), .init("SHA-256")])
    for i in sources {
      let node = subject.pipeline.stages[i]
      for port in node.kind.outputs {
        let name = [HTML.text("\(node.name).\(port.name)")]
        guard let artifact = subject.graph.instances(of: i).first?.outputs?[port.name] else {
          table.rows.append([name, [HTML.code(node.kind.name)], [], [], [], ["not found"]])
          continue
        }
        let extent = extent(artifact)
        table.rows.append([
          name, [HTML.code(node.kind.name)], extent.map { [HTML.number(.integer($0.files))] } ?? [],
          extent.map { [HTML.number(.integer($0.bytes))] } ?? [],
          [subject.id(artifact.digest)], [MarkupNode("code", [("class", "digest")], text: artifact.digest.hex)],
        ])
      }
    }
    return table
  }

  /// How many files there are, and how many bytes; nil where the store does not say it.
  private func extent(_ artifact: Artifact) -> (files: Int, bytes: Int)? {
    let path = subject.store.objectPath(artifact)
    guard artifact.kind == TreeFormat.name else { return (try? Files.status(path)).map { (1, $0.size) } }
    return (try? TreeFormat.manifest(of: path)).map { ($0.entries.count, $0.totalSize) }
  }
}
