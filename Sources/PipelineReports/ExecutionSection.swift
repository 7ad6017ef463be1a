import ArtifactStore
import Determinism
import Markup
import PipelineRunner

/// Times, machines and sizes: what differs from one execution to the next although the results are the same.
struct ExecutionSection {
  let subject: ReportSubject

  /// Records that are opened: a large pipeline would take its time.
  private static let mostRecords = 400

  var section: ReportSection {
    ReportSection(
      .execution, id: "execution", title: "This execution",
      [
        HTML.paragraph(
          "Nothing in this block is part of a result. It is left out by --reproducible, so that equal stores give equal "
            + "files."), stages.node,
      ] + environments)
  }

  /// The records of stages: of a fanned-out one that of its first instance.
  private var records: [(stage: Plan.StagePlan, record: Record?)] {
    subject.plan.stages.enumerated().map { i, stage in
      let key = stage.instances.first { $0.state == .cached }?.key
      return (stage, i < ExecutionSection.mostRecords ? key.flatMap { try? subject.store.record($0) } : nil)
    }
  }

  private var stages: DataTable {
    var table = DataTable(
      "Times and sizes",
      columns: [
        .init("stage"), .init("began"), .init("seconds", isNumber: true), .init("bytes on disk", isNumber: true),
      ]
        + [.init("threads", isNumber: true), .init("run")])
    for (stage, record) in records {
      let cost = stage.state == .cached ? stage.lastCost : nil
      table.rows.append([
        [HTML.text(stage.name)], [HTML.text(record.map { String($0.started.prefix(19)) } ?? "")],
        cost.map { [HTML.text($0.seconds.text(digits: 1))] } ?? [], cost.map { [HTML.text("\($0.bytes)")] } ?? [],
        [HTML.text(record?.environment["threads"]?.integerValue.map(String.init) ?? "")],
        [HTML.text(record?.run ?? "")],
      ])
    }
    table.isSortable = true
    return table
  }

  /// What records say of the machines, each form once.
  private var environments: [MarkupNode] {
    var found = [(value: CanonicalValue, stages: [String])]()
    for (stage, record) in records {
      guard let record, case .object(var members) = record.environment else { continue }
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
