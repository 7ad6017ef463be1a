import Determinism
import Markup
import PipelineModel
import PipelineRunner

/// What the report is about, whether it is complete, its root, and its numbers in short.
struct OverviewSection {
  let subject: ReportSubject
  let options: ReportOptions

  private var plan: Plan { subject.plan }

  var nodes: [MarkupNode] {
    var nodes = [
      HTML.paragraph("Pipeline report", class: "eyebrow"),
      MarkupNode("h1", [], [HTML.text(plan.pipeline.clipped(to: 200))]), HTML.paragraph(summary, class: "lead"),
      verdict,
    ]
    let cards = headlines
    if !cards.isEmpty {
      nodes.append(MarkupNode("ul", [("class", "cards"), ("aria-label", "Numbers in short")], cards))
    }
    return nodes
  }

  private var summary: String {
    let instances = plan.stages.reduce(0) { $0 + $1.instances.count }
    let count = plan.stages.count
    var parts = ["\(count) stage\(count == 1 ? "" : "s")"]
    if instances > count { parts.append("\(instances) executions") }
    if let profile = options.profile { parts.insert("profile \(profile)", at: 0) }
    if let fidelity = options.fidelity { parts.append("fidelity \(fidelity)") }
    parts.append("seed \(options.seed)")
    return parts.joined(separator: " · ")
  }

  // MARK: Verdict

  private var verdict: MarkupNode {
    var (style, nodes) = completeness
    if let root = plan.root {
      nodes.append(
        HTML.facts([
          ("root", [MarkupNode("code", [("class", "root")], text: root.hex)]), ("expected root", expectation(root)),
        ]))
      if let expected = options.expectedRoot, expected != root.hex { style = "bad" }
    } else if let expected = options.expectedRoot {
      nodes.append(HTML.facts([("expected root", [MarkupNode("code", [("class", "root")], text: expected)])]))
    }
    return MarkupNode("div", [("class", "verdict \(style)"), ("role", "status")], nodes)
  }

  private var completeness: (style: String, nodes: [MarkupNode]) {
    let open = plan.stages.filter { $0.state != .cached }
    guard !open.isEmpty else {
      return (
        "good",
        [
          HTML.paragraph([
            HTML.strong("Complete."),
            " The root is one SHA-256 over every artifact and over what made it.",
          ])
        ]
      )
    }
    let failed = plan.stages.enumerated().filter { $0.element.state == .failed }
    let names = open.prefix(12).map(\.name).joined(separator: ", ") + (open.count > 12 ? ", ..." : "")
    var nodes = [
      HTML.strong("Not complete."),
      HTML.text(" \(open.count) of \(plan.stages.count) stages have no results here: \(names)."),
    ]
    for (i, stage) in failed.prefix(12) {
      nodes += [" Failed: ", MarkupNode("a", [("href", "#stage-\(i)")], [HTML.text(stage.name)]), "."]
    }
    return (failed.isEmpty ? "open" : "bad", [HTML.paragraph(nodes)])
  }

  private func expectation(_ root: Digest) -> [MarkupNode] {
    guard let expected = options.expectedRoot else {
      return ["none is stated for these parameters in the pipeline file"]
    }
    if expected == root.hex { return [HTML.badge("agrees", "good"), " with the one in the pipeline file"] }
    return [HTML.badge("differs", "bad"), " ", MarkupNode("code", [("class", "root")], text: expected)]
  }

  // MARK: Numbers in short

  private static let mostCards = 8

  private var headlines: [MarkupNode] {
    // What comes last in the pipeline is what it is for.
    let highlights = subject.highlights.reversed().flatMap { stage in
      stage.numbers.map { number in
        let least = HighlightedStage.text(number.least)
        return card(
          number.name, number.count == 1 ? least : "\(least) – \(HighlightedStage.text(number.most))",
          number.count == 1 ? stage.stage : "\(stage.stage), \(number.count) instances",
          subject.digest(of: number.name, of: stage.stage))
      }
    }
    if !highlights.isEmpty { return Array(highlights.prefix(OverviewSection.mostCards)) }
    // Of commands, the metrics of the stages that run once.
    var cards = [MarkupNode]()
    for metrics in subject.metrics.reversed() where metrics.artifacts.count == 1 {
      guard let artifact = metrics.artifacts[0].artifact, let value = try? subject.value(of: artifact) else { continue }
      for (name, number) in ValueTable.numbers(of: value) {
        cards.append(card(name, HTML.shown(number), metrics.stage, artifact.digest))
      }
    }
    return Array(cards.prefix(OverviewSection.mostCards))
  }

  private func card(_ name: String, _ number: String, _ stage: String, _ digest: Digest?) -> MarkupNode {
    var content = [
      MarkupNode("span", [("class", "what")], [HTML.text(name)]),
      MarkupNode("strong", number.utf8.count > 9 ? [("class", "range")] : [], [HTML.text(number)]),
      MarkupNode("span", [("class", "from")], [HTML.text(stage)]),
    ]
    if let digest { content.append(subject.id(digest)) }
    return MarkupNode("li", [], content)
  }
}
