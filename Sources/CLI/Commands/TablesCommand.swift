import ArgumentParser
import Determinism
import PipelineFiles
import Pipelines
import Reports
import Stages

struct Tables: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "tables", abstract: "Print the paper's tables beside the results of this store.",
    discussion: """
      Every number comes from the store: for each pipeline with a stage 'tabulate', the results that this stage takes,
      as far as they are there for the profile and the seed. A cell that nothing was run for is empty. With several
      seeds a cell is the mean, its standard deviation, and how many seeds it is made of; a last table has the differences
      that the paper's claims are about, seed by seed, with 95 % intervals. Nothing is trained or evaluated.

      EXAMPLES:
        autopanoptic tables
        autopanoptic tables --profile smoke --format markdown
        autopanoptic tables --seed 2020 --seed 2021 --seed 2022 --format csv > tables.csv
        autopanoptic tables --seed 2020 --seed 2021 --seed 2022 --format json
      """)

  @Argument(help: "Pipeline files, or folders of them.", completion: .pipelines)
  var pipelines: [String] = ["pipelines"]

  @Option(help: "The profile that was run (default: the one each file names).")
  var profile: String?

  @Option(help: "How discrepancies of paper and code were resolved in the runs (default: the file's).")
  var fidelity: String?

  @Option(name: .customLong("seed"), help: "The seed of the runs (default: the files'). Repeatable.")
  var seeds: [UInt64] = []

  @Option(help: "text, csv, markdown or json.")
  var format = ComparisonFormat.text

  @OptionGroup var stores: StoreOptions

  func run() throws {
    let store = try stores.observe()
    var runs = [(seed: UInt64, results: PaperResults)]()
    var settings: SearchSpaceTables.Settings?
    var names = Set<String>()
    let files = try files()
    if let profile { try require(profile, among: files.flatMap(\.profileNames), "profile") }
    if let fidelity { try require(fidelity, among: files.flatMap(\.fidelityNames), "fidelity") }
    var distinct = Set<UInt64>()
    for seed in seeds.isEmpty ? [nil] : seeds.filter({ distinct.insert($0).inserted }).map(Optional.some) {
      var run: (seed: UInt64, results: PaperResults) = (seed ?? 0, [:])
      for file in files {
        guard profile.map(file.profileNames.contains) ?? true, fidelity.map(file.fidelityNames.contains) ?? true else {
          continue
        }
        let description = try file.description(profile: profile, fidelity: fidelity, seed: seed)
        if settings == nil { settings = try searched(by: description, in: store) }
        for table in description.stages where table.uses == TabulateStage.name {
          let gathered = try gather(table, of: description, in: store)
          let name =
            "\(profile ?? file.profile ?? "no profile"), seed \(description.seed)"
            + (fidelity.map { ", fidelity \($0)" } ?? "")
          if !gathered.isEmpty { names.insert(name) }
          run.results.merge(gathered) { first, _ in first }
        }
      }
      runs.append(run)
    }
    write(runs, settings, run: names.isEmpty ? "nothing was run yet" : names.sortedByBytes().joined(separator: "; "))
  }

  private func write(
    _ runs: [(seed: UInt64, results: PaperResults)], _ settings: SearchSpaceTables.Settings?, run: String
  ) {
    var results = PaperResults()
    for run in runs { results.merge(run.results) { $0 + $1 } }
    let paired = PairedTable(runs)
    let form: TableFormat
    switch format {
    case .text: form = .text
    case .csv: form = .csv
    case .markdown: form = .markdown
    case .json:
      return Output.json([
        "run": .string(run), "tables": .array(PaperTable.all.map { $0.json(with: results) }),
        "differences": paired.json,
      ])
    }
    let tables =
      SearchSpaceTables(settings).all + PaperTable.all.map { $0.filled(with: results) }
      + [paired.table].compactMap(\.self)
    Output.write(tables.map { $0.rendered(as: form, run: run) }.joined(separator: "\n"), to: 1)
  }

  private func files() throws -> [PipelineFile] {
    try pipelines.flatMap { path -> [String] in
      // A missing file is reported where it is read.
      guard FileIO.kind(path) == .folder else { return [path] }
      return try FileIO.list(path).filter { $0.hasSuffix(".yaml") }.map { "\(path)/\($0)" }
    }.map { try PipelineFile(path: $0) }
  }

  /// - Throws: where no file has the profile or fidelity.
  private func require(_ name: String, among names: [String], _ what: String) throws {
    guard !names.contains(name) else { return }
    let hint = Suggestion.text(for: name, among: Set(names).sortedByBytes())
    throw PipelineError(.badReference, "no pipeline here has the \(what) '\(name)'\(hint)")
  }

  /// What the supernet of a pipeline spans, if it was trained.
  private func searched(
    by description: PipelineDescription, in store: Store
  ) throws -> SearchSpaceTables.Settings? {
    for stage in try Pipeline(description, registry: store.registry).summaries {
      guard let settings = SearchSpaceTables.Settings(trainedBy: stage) else { continue }
      let trained = try PaperRows.results(of: [stage.name], description, in: store)[stage.name] ?? []
      if trained.contains(where: { $0 != nil }) { return settings }
    }
    return nil
  }

  /// The results that a stage takes, as far as the store has them.
  private func gather(
    _ table: PipelineDescription.StageEntry, of description: PipelineDescription, in store: Store
  ) throws -> PaperResults {
    var results = PaperResults()
    for (row, artifacts) in try PaperRows.artifacts(of: table, in: description, store) {
      let found = try artifacts.map { try TabulateStage.result(store.json(of: $0)) }
      results[row] = TabulateStage.best(found).map { [$0] }
    }
    return results
  }
}
