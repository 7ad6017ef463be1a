import Determinism
import Markup
import PipelineModel
import PipelineRunner

/// How to check all this on another machine, as commands.
struct CheckSection {
  let subject: ReportSubject
  let options: ReportOptions

  var section: ReportSection { ReportSection(.check, id: "check", title: "Check it yourself", nodes) }

  private var nodes: [MarkupNode] {
    var nodes = [
      HTML.paragraph(
        "The commands below need \(options.program)\(options.version.isEmpty ? "" : " \(options.version)"), the pipeline "
          + "file, and nothing of the machine that made this report.")
    ]
    let variables = Set(subject.stages.compactMap(\.kind.sourceVariable)).sortedByBytes()
    if !variables.isEmpty {
      nodes.append(HTML.paragraph("The data sets are named by variables:"))
      nodes.append(
        HTML.block(variables.map { "export \($0)=/path/to/the/data" }.joined(separator: "\n"), label: "Commands"))
    }
    nodes += step(
      subject.plan.root == nil
        ? "Make everything, in a store of your own."
        : "Make everything anew, in a store of your own. The root must be the one above.",
      options.command("run", ["--store", "check"]))
    nodes += step("Verify every artifact and every record of a store.", options.command("audit"))
    if let stage = cheapest {
      nodes += step("Execute one stage again and compare it bit by bit.", options.command("rerun", [stage]))
    }
    if let digest = subject.example {
      nodes += step(
        "Show any artifact of this report by its ID.", [options.program, "show", digest.short].joined(separator: " "))
    }
    nodes += step(
      "Take everything along as one file, which verifies itself where it is imported.",
      options.command("export", ["pipeline.tar"]))
    nodes += step(
      "Make this file again. Equal stores give equal bits.",
      options.command("report", ["--reproducible", "-o", "report.html"]) + "\nsha256sum report.html")
    return nodes
  }

  private func step(_ text: String, _ command: String) -> [MarkupNode] {
    [HTML.paragraph(text), HTML.block(command, label: "Command")]
  }

  /// The last cached stage that reads something and is no fan-out: quick to make again in most pipelines.
  private var cheapest: String? {
    let stages = subject.plan.stages.filter { $0.state == .cached && !$0.isFannedOut && !$0.needs.isEmpty }
    return stages.last?.name
  }
}

extension ReportSubject {
  /// An artifact whose numbers people look for.
  var example: Digest? {
    let numbers = (metrics + histories).flatMap(\.artifacts).compactMap(\.artifact)
    return
      (numbers.first
      ?? graph.wanted.flatMap { graph.instances(of: $0) }.lazy.compactMap(\.outputs).first?
      .sorted { $0.key.precedesInBytes($1.key) }.first?.value)?.digest
  }
}
