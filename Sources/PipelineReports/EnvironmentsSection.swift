import Determinism
import Markup
import PipelineModel

/// What commands ran in: interpreters, packages and variables, as they were when the keys were made.
struct EnvironmentsSection {
  let subject: ReportSubject

  private static let most = 20

  var sections: [ReportSection] {
    var found = [(digest: Digest, stages: [String])]()
    for i in subject.graph.wanted {
      guard let instance = subject.graph.instances(of: i).first?.instance,
        let digest = instance.identity.traits[EnvironmentStore.trait].flatMap(Digest.init(hex:))
      else { continue }
      let name = subject.pipeline.stages[i].name
      if let place = found.firstIndex(where: { $0.digest == digest }) {
        found[place].stages.append(name)
      } else {
        found.append((digest, [name]))
      }
    }
    let nodes = found.prefix(EnvironmentsSection.most).flatMap { describe($0.digest, $0.stages) }
    return nodes.isEmpty
      ? [] : [ReportSection(.data, id: "environments", title: "Environments", nodes)]
  }

  private func describe(_ digest: Digest, _ stages: [String]) -> [MarkupNode] {
    let names = stages.prefix(12).joined(separator: ", ") + (stages.count > 12 ? ", and \(stages.count - 12) more" : "")
    let heading = HTML.heading([HTML.text("Environment of \(names)")])
    let code = MarkupNode("code", [("class", "root")], text: digest.hex)
    guard let contents = EnvironmentStore.contents(of: digest, in: subject.store.path) else {
      return [
        heading, HTML.facts([("digest", [code])]), HTML.paragraph("The store does not say what it consisted of."),
      ]
    }
    var facts: [(name: String, value: [MarkupNode])] = [("digest", [code])]
    for (name, value) in (contents.objectValue ?? [:]).sorted(by: { $0.key.precedesInBytes($1.key) }) {
      switch (name, value) {
      case ("packages", _), ("variables", _): continue
      case ("interpreter", _):
        facts.append(("interpreter", [HTML.text(value["version"]?.stringValue ?? value.canonicalText)]))
      default: facts.append((name, [HTML.text((value.stringValue ?? value.canonicalText).clipped(to: 200))]))
      }
    }
    for (name, value) in (contents["variables"]?.objectValue ?? [:]).sorted(by: { $0.key.precedesInBytes($1.key) }) {
      facts.append((name, [HTML.text((value.stringValue ?? "").clipped(to: 200))]))
    }
    return [heading, HTML.facts(facts)] + packages(contents)
  }

  private func packages(_ contents: CanonicalValue) -> [MarkupNode] {
    let packages = (contents["packages"]?.objectValue ?? [:]).sorted { $0.key.precedesInBytes($1.key) }
    guard !packages.isEmpty else { return [] }
    var table = DataTable("Packages", columns: [.init("package"), .init("version")])
    for (name, value) in packages.prefix(1000) {
      table.add([name, (value["version"]?.stringValue ?? value.stringValue ?? "").clipped(to: 100)])
    }
    table.omitted = max(0, packages.count - 1000)
    table.isSortable = true
    return [HTML.details([HTML.text("\(packages.count) packages")], [table.node])]
  }
}
