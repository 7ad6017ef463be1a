import ArtifactStore
import Determinism
import Markup
import PipelineModel
import PipelineRunner

/// Times, machines and sizes: what differs from one execution to the next although the results are the same.
struct ExecutionSection {
  let subject: ReportSubject

  /// Records that are opened: a large pipeline would take its time.
  private static let mostRecords = 400

  var section: ReportSection {
    let facts = facts
    return ReportSection(
      .execution, id: "execution", title: "This execution",
      [
        HTML.paragraph(
          "Nothing in this block is part of a result. It is left out by --reproducible, so that equal stores give equal "
            + "files."), table(facts).node,
      ] + environments(facts))
  }

  /// What a record says of its execution. Nothing of it is in a key, and to verify a long record takes its time: the
  /// audit does.
  private struct Facts {
    let started: String
    let run: String
    let environment: [String: CanonicalValue]

    init?(_ key: Digest, in store: Store) {
      guard let bytes = try? Files.read(store.recordPath(key), limit: Record.sizeLimit),
        let record = try? CanonicalValue(json: bytes)["record"]
      else { return nil }
      started = record["started"]?.stringValue ?? ""
      run = record["run"]?.stringValue ?? ""
      environment = record["environment"]?.objectValue ?? [:]
    }
  }

  /// Of a fanned-out stage those of its first instance.
  private var facts: [(stage: Plan.StagePlan, facts: Facts?)] {
    subject.plan.stages.enumerated().map { i, stage in
      let key = stage.instances.first { $0.state == .cached }?.key
      return (stage, i < ExecutionSection.mostRecords ? key.flatMap { Facts($0, in: subject.store) } : nil)
    }
  }

  private func table(_ all: [(stage: Plan.StagePlan, facts: Facts?)]) -> DataTable {
    var table = DataTable(
      "Times and sizes",
      columns: [
        .init("stage"), .init("began"), .init("seconds", isNumber: true), .init("bytes on disk", isNumber: true),
      ]
        + [.init("threads", isNumber: true), .init("run")])
    for (stage, facts) in all {
      let cost = stage.state == .cached ? stage.lastCost : nil
      table.rows.append([
        [HTML.text(stage.name)], [HTML.text(facts.map { String($0.started.prefix(19)) } ?? "")],
        cost.map { [HTML.text($0.seconds.text(digits: 1))] } ?? [], cost.map { [HTML.text("\($0.bytes)")] } ?? [],
        [HTML.text(facts?.environment["threads"]?.integerValue.map(String.init) ?? "")],
        [HTML.text(facts?.run ?? "")],
      ])
    }
    table.isSortable = true
    return table
  }

  /// What records say of the machines, each form once.
  private func environments(_ all: [(stage: Plan.StagePlan, facts: Facts?)]) -> [MarkupNode] {
    var found = [(value: CanonicalValue, stages: [String])]()
    for (stage, facts) in all {
      guard var members = facts?.environment else { continue }
      members["threads"] = nil
      let value = CanonicalValue.object(members)
      if let i = found.firstIndex(where: { $0.value == value }) {
        found[i].stages.append(stage.name)
      } else {
        found.append((value, [stage.name]))
      }
    }
    return found.prefix(20).flatMap { environment -> [MarkupNode] in
      let members = environment.value.objectValue ?? [:]
      let names =
        environment.stages.count > 8
        ? "\(environment.stages.count) stages" : environment.stages.joined(separator: ", ")
      return [
        HTML.heading([HTML.text("Machine of \(names)")]),
        HTML.facts(
          members.keys.sortedByBytes().map { name in
            (name, [HTML.text((members[name]!.stringValue ?? members[name]!.canonicalText).clipped(to: 400))])
          }),
      ]
    }
  }
}
