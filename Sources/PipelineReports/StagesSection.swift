import ArtifactStore
import Determinism
import Markup
import PipelineModel
import PipelineRunner

/// Every stage: its state, its key and what that is made of, its results, and why it failed.
struct StagesSection {
  let subject: ReportSubject

  private static let mostStages = 500

  var section: ReportSection {
    let stages = zip(subject.graph.wanted, subject.plan.stages).prefix(StagesSection.mostStages)
    var table = DataTable(
      "State of every stage",
      columns: [.init("stage"), .init("kind"), .init("state"), .init("instances", isNumber: true)])
    table.rows = stages.enumerated().map { i, pair in
      let stage = pair.1
      let done = stage.instances.count { $0.state == .cached }
      let count = stage.count.map { done == $0 ? "\($0)" : "\(done) of \($0)" } ?? "\(done) of ?"
      return [
        [MarkupNode("a", [("href", "#stage-\(i)")], [HTML.text(stage.name)])], [HTML.code(stage.kind)],
        [HTML.badge(stage.state.rawValue, stage.state.rawValue)], [HTML.text(count)],
      ]
    }
    table.omitted = max(0, subject.plan.stages.count - StagesSection.mostStages)
    table.isSortable = true
    let details = stages.enumerated().map { i, pair in
      StageDetails(subject: subject, index: pair.0, stage: pair.1).node(id: "stage-\(i)")
    }
    return ReportSection(.stages, id: "stages", title: "Stages", [table.node] + details)
  }
}

/// One stage.
struct StageDetails {
  let subject: ReportSubject
  /// In the pipeline.
  let index: Int
  let stage: Plan.StagePlan

  private var node: Pipeline.StageNode { subject.pipeline.stages[index] }

  func node(id: String) -> MarkupNode {
    let slots = subject.graph.instances(of: index)
    var content = [MarkupNode]()
    if let command = node.command {
      content.append(HTML.block(command.clipped(to: 4000), label: "Command of \(stage.name)"))
    } else if !node.kind.summary.isEmpty {
      content.append(HTML.paragraph("\(node.kind.name) \(node.kind.summary).", class: "note"))
    }
    if let problem = stage.problem {
      content.append(HTML.paragraph(subject.impersonal(problem.message), class: "warning"))
    }
    content += open(stage.instances)
    if !stage.waitsFor.isEmpty {
      content.append(HTML.paragraph("It waits for \(stage.waitsFor.joined(separator: ", "))."))
    }
    if let first = slots.first?.instance { content.append(identity(first, isOneOfMany: stage.isFannedOut)) }
    content.append(results(slots))
    // Those of an element may differ from what the stage says.
    let parameters = slots.first?.instance?.identity.parameters ?? node.prepared.parameters
    content.append(
      HTML.details(
        [.text(slots.count > 1 ? "All parameters of the first instance" : "All parameters")],
        [HTML.block(parameters.prettyText.clipped(to: 20_000), label: "Parameters of \(stage.name)")],
        isLong: true))
    return HTML.details(
      [
        MarkupNode("span", [("class", "name")], [HTML.text(stage.name)]), " ",
        HTML.badge(stage.state.rawValue, stage.state.rawValue),
      ], content, id: id, isOpen: stage.state == .failed)
  }

  /// Why instances have no results.
  private func open(_ instances: [Plan.InstancePlan]) -> [MarkupNode] {
    instances.filter { $0.state != .cached }.prefix(5).flatMap { instance -> [MarkupNode] in
      let reasons = instance.reasons.isEmpty ? ["it was never run"] : instance.reasons
      let text = subject.impersonal("\(instance.name): \(reasons.joined(separator: "; "))")
      var nodes = [HTML.paragraph(text, class: "warning")]
      if instance.state == .failed, let log = FailureLog(store: subject.store, instance: instance.name).text {
        nodes.append(HTML.block(subject.impersonal(log), label: "End of the log of \(instance.name)"))
      }
      return nodes
    }
  }

  // MARK: Identity

  /// Environments have a section of their own.
  private func traits(_ identity: StageIdentity) -> [(name: String, value: [MarkupNode])] {
    identity.traits.sorted { $0.key.precedesInBytes($1.key) }.map { name, value in
      guard name.hasSameBytes(as: EnvironmentStore.trait), Digest(hex: value) != nil else {
        return (name, [HTML.text(value.clipped(to: 400))])
      }
      return (name, [MarkupNode("a", [("href", "#environments")], [HTML.code(value)])])
    }
  }

  /// What the key is made of; of a fanned-out stage what its first instance's is.
  private func identity(_ instance: Instance, isOneOfMany: Bool) -> MarkupNode {
    let identity = instance.identity
    var facts: [(name: String, value: [MarkupNode])] = [
      (isOneOfMany ? "key of \(instance.name)" : "key", [MarkupNode("code", [], text: instance.key.hex)]),
      ("kind", [HTML.text("\(identity.kind), version \(identity.version)")]),
    ]
    if let seed = identity.seed { facts.append(("seed", [.text("\(seed)")])) }
    for (name, input) in identity.inputs.sorted(by: { $0.key.precedesInBytes($1.key) }) {
      let from = node.inputs[name]?.origin.map { "\(subject.pipeline.stages[$0.stage].name).\($0.output) " } ?? ""
      switch input {
      case .single(let digest): facts.append(("input \(name)", [HTML.text(from), subject.id(digest)]))
      case .list(let digests):
        let shown = digests.prefix(12).flatMap { [subject.id($0), .text(" ")] }
        let rest = digests.count > 12 ? "and \(digests.count - 12) more" : ""
        facts.append(
          ("input \(name)", [HTML.text("\(from)\(digests.count) artifacts: ")] + shown + [.text(rest)]))
      }
    }
    facts += traits(identity)
    return HTML.facts(facts)
  }

  // MARK: Results

  private func results(_ slots: [Graph.Slot]) -> MarkupNode {
    var table = DataTable(
      "Results of \(stage.name)",
      columns: [.init("output"), .init("kind"), .init("ID"), .init("SHA-256 of the content")])
    let done = slots.filter { $0.outputs != nil }
    for slot in done.prefix(ReportSubject.shownInstances) {
      for (name, artifact) in slot.outputs!.sorted(by: { $0.key.precedesInBytes($1.key) }) {
        let anchor = subject.anchor(artifact.digest, at: name, of: slot.instance!.name).map { [("id", $0)] } ?? []
        table.rows.append([
          [HTML.text("\(slot.instance!.name).\(name)")], [HTML.text(artifact.kind)],
          [MarkupNode("code", [], text: artifact.digest.short)],
          [MarkupNode("code", anchor + [("class", "digest")], text: artifact.digest.hex)],
        ])
      }
    }
    table.omitted = max(0, done.count - ReportSubject.shownInstances)
    return table.rows.isEmpty ? HTML.paragraph("No results.") : table.node
  }
}

extension Pipeline.StageNode {
  /// What a command runs, as its author wrote it; nil of other kinds.
  var command: String? {
    guard kind.name == "command" else { return nil }
    switch prepared.parameters["run"] {
    case .string(let script): return script
    case .array(let words):
      return words.map { ($0.stringValue ?? $0.canonicalText).quotedForShell }.joined(separator: " ")
    default: return nil
    }
  }
}
