import Determinism
import Markup
import Models
import PipelineReports
import Pipelines
import Reports
import Search

/// What a report of a pipeline says beside the paper: the numbers that the paper reports, and searched architectures.
public struct PaperReport: ReportSectionProvider {
  /// The results that fill rows of the paper's tables; of several in a row the best counts.
  public typealias Rows = [PaperResult: [Artifact]]

  private let rows: Rows
  /// Whether the profile is that of the paper.
  private let isPaperProfile: Bool

  public init(rows: Rows, profile: String?) { (self.rows, isPaperProfile) = (rows, profile == "paper") }

  public func sections(of subject: ReportSubject) throws -> [ReportSection] {
    [tables(of: subject), ArchitectureSection(subject: subject).section].compactMap(\.self)
  }

  // MARK: Tables

  private struct Result {
    let quality: QualityResult
    let digest: Digest
  }

  private func tables(of subject: ReportSubject) -> ReportSection? {
    let results = rows.compactMapValues { artifacts in
      artifacts.compactMap { artifact -> Result? in
        guard let value = try? subject.value(of: artifact), let quality = try? TabulateStage.result(value) else {
          return nil
        }
        return Result(quality: quality, digest: artifact.digest)
      }.max { $0.quality.pq < $1.quality.pq }
    }
    var shown = Set<PaperResult>()
    var nodes = [MarkupNode]()
    for table in PaperTable.all {
      let own = table.rows.filter { $0.result.map { results[$0] != nil } ?? false }
      // What a table before has told is not told again.
      guard own.contains(where: { !shown.contains($0.result!) }) else { continue }
      shown.formUnion(own.map { $0.result! })
      nodes.append(rendered(table, own, results, subject).node)
      if let note = table.note { nodes.append(HTML.paragraph(note, class: "note")) }
    }
    guard !nodes.isEmpty else { return nil }
    let setting =
      isPaperProfile
      ? ""
      : " This pipeline ran in another profile, on other data or for a shorter time: its numbers show that the "
        + "procedure works, and are not comparable with the paper's."
    let introduction = "In percent: what the paper reports, and what this pipeline gave." + setting
    return ReportSection(
      .results, id: "paper", title: "Beside the paper", [HTML.paragraph(introduction)] + nodes)
  }

  private func rendered(
    _ table: PaperTable, _ own: [PaperTable.Row], _ results: [PaperResult: Result], _ subject: ReportSubject
  ) -> DataTable {
    var out = DataTable(
      table.title,
      columns: [
        .init(table.labels.joined(separator: ", ")), .init("metric"), .init("reported", isNumber: true),
        .init("here", isNumber: true), .init("ID"),
      ])
    for row in own {
      let result = results[row.result!]!
      for (i, metric) in table.metrics.enumerated() {
        let reported = row.reported.indices.contains(i) ? row.reported[i] : nil
        let value = metric.value(of: result.quality)
        out.rows.append([
          [HTML.text(row.labels.joined(separator: ", "))], [.text(metric.rawValue)], [.text(reported ?? "–")],
          [HTML.number(.number(value), shown: (100 * value).text(digits: 1))], [subject.id(result.digest)],
        ])
      }
    }
    return out
  }
}

/// Drawings of the architectures that a pipeline found or retrained.
struct ArchitectureSection {
  let subject: ReportSubject

  private static let most = 12

  private struct Found {
    let name: String
    let artifact: Artifact
    let network: NetworkConfiguration
  }

  var section: ReportSection? {
    var seen = Set<Digest>()
    let found = (retrained + selected).filter { seen.insert($0.artifact.digest).inserted }
    guard !found.isEmpty else { return nil }
    var nodes = found.prefix(ArchitectureSection.most).flatMap(drawing)
    if found.count > ArchitectureSection.most {
      nodes.append(HTML.paragraph("... and \(found.count - ArchitectureSection.most) more", class: "note"))
    }
    return ReportSection(.model, id: "architecture", title: "Architecture", nodes)
  }

  /// With the widths at which they were trained.
  private var retrained: [Found] {
    subject.stages.flatMap { stage -> [Found] in
      guard let training = stage.subject as? RetrainStage, let from = stage.inputs["architecture"] else { return [] }
      return found("\(from.stage).\(from.output)", from.output, from.stage, training.parameters.network)
    }
  }

  private var selected: [Found] {
    subject.stages.flatMap { stage -> [Found] in
      guard let search = stage.subject as? SelectArchitectureStage else { return [] }
      return found("\(stage.name).architecture", "architecture", stage.name, search.parameters.network)
    }
  }

  private func found(_ name: String, _ output: String, _ stage: String, _ network: NetworkConfiguration) -> [Found] {
    subject.artifacts(output, of: stage).compactMap { _, artifact in
      artifact.map { Found(name: name, artifact: $0, network: network) }
    }
  }

  private func drawing(_ found: Found) -> [MarkupNode] {
    let heading = HTML.heading(subject.source(found.name, found.artifact.digest))
    do {
      let architecture = try subject.value(of: found.artifact).decoded(as: Architecture.self)
      try found.network.validate(architecture, place: found.name)
      let rows = ArchitectureDrawing.rows(of: architecture, found.network)
      let diagram = BlockDiagram(title: "Chosen operators of \(found.name)", rows: rows)
      let box = [("class", "scroll paper"), ("tabindex", "0"), ("role", "region"), ("aria-label", "Architecture")]
      return [heading, MarkupNode("figure", [], [MarkupNode("div", box, [diagram.inline])])]
    } catch {
      return [heading, HTML.paragraph("It can't be drawn: \(error)", class: "warning")]
    }
  }
}
