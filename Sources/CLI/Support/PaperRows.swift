import Determinism
import PipelineFiles
import PipelineReports
import Pipelines
import Reports
import Stages

/// Which results fill which rows of the paper's tables: what the stages 'tabulate' of pipelines take.
enum PaperRows {
  /// The results that a stage 'tabulate' takes, as far as the store has them. Where a data set is not on this machine,
  /// nothing was run with it.
  static func artifacts(
    of table: PipelineDescription.StageEntry, in description: PipelineDescription, _ store: Store
  ) throws -> [(row: PaperResult, artifacts: [Artifact])] {
    let sources = table.needs.compactMap { need -> (row: PaperResult, stage: String, output: String)? in
      let parts = need.reference.text.splitBytes(at: UInt8(ascii: "."))
      guard let row = PaperResult(rawValue: need.input), parts.count == 2 else { return nil }
      return (row, parts[0], parts[1])
    }
    let known = try results(of: sources.map(\.stage), description, in: store)
    return sources.compactMap { source in
      let found = (known[source.stage] ?? []).map { $0?[source.output] }
      guard !found.isEmpty, found.allSatisfy({ $0 != nil }) else { return nil }
      return (source.row, found.map { $0! })
    }
  }

  static func results(
    of stages: [String], _ description: PipelineDescription, in store: Store
  ) throws -> [String: [[String: Artifact]?]] {
    try Planner(
      pipeline: try Pipeline(description, registry: store.registry), store: store,
      variables: try Variables.all([])
    ).results(of: stages)
  }

  /// The rows that results of one pipeline fill. The pipelines beside its file say so; only results that are the
  /// pipeline's own, by their content, are taken.
  static func rows(
    around file: String, of subject: ReportSubject, in store: Store,
    describe: (PipelineFile) throws -> PipelineDescription
  ) -> PaperReport.Rows {
    let qualities = subject.stages.filter { stage in
      ["evaluate-panoptic", "evaluate-candidate"].contains(stage.kind.name)
    }
    let own = Set(
      qualities.flatMap { stage in
        stage.kind.outputs.flatMap { subject.artifacts($0.name, of: stage.name) }.compactMap(\.artifact)
      })
    guard !own.isEmpty else { return [:] }
    let folder = file.folderPath.isEmpty ? "." : file.folderPath
    var rows = PaperReport.Rows()
    for name in (try? FileIO.list(folder))?.sortedByBytes() ?? [] where name.hasEnding(".yaml") {
      // Whatever is wrong with another pipeline is of no concern here.
      guard let text = try? FileIO.read("\(folder)/\(name)", limit: 1 << 20),
        String(decoding: text, as: UTF8.self).contains(TabulateStage.name),
        let description = try? describe(PipelineFile(path: "\(folder)/\(name)"))
      else { continue }
      for table in description.stages where table.uses == TabulateStage.name {
        for (row, artifacts) in (try? PaperRows.artifacts(of: table, in: description, store)) ?? []
        where rows[row] == nil && artifacts.allSatisfy(own.contains) {
          rows[row] = artifacts
        }
      }
    }
    return rows
  }
}
