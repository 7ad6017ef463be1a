import ArgumentParser
import Determinism
import Foundation
import PipelineFiles
import Pipelines
import Reports
import Stages

struct Tables: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "tables", abstract: "Print the paper's tables beside what was run here.",
    discussion: """
      Every number comes from the store: for each pipeline with a stage 'tabulate', the results that this stage takes,
      as far as they are there for the profile and the seed. A cell that nothing was run for is empty. With several
      seeds a cell is the mean, its standard deviation, and how many seeds it is made of. Nothing is computed.

      EXAMPLES:
        autopanoptic tables
        autopanoptic tables --profile smoke --format markdown
        autopanoptic tables --seed 2020 --seed 2021 --seed 2022 --format csv > tables.csv
      """)

  @Argument(help: "Pipeline files, or folders of them.", completion: .pipelines)
  var pipelines: [String] = ["pipelines"]

  @Option(help: "The profile that was run (default: the one each file names).")
  var profile: String?

  @Option(help: "Where paper and published code disagree, as run (default: the file's).")
  var fidelity: String?

  @Option(name: .customLong("seed"), help: "The seed of the runs (default: the files'). Repeatable.")
  var seeds: [UInt64] = []

  @Option(help: "text, csv or markdown.")
  var format = TableFormat.text

  @OptionGroup var stores: StoreOptions

  func run() throws {
    let store = try stores.observe()
    var results = PaperResults()
    var settings: SearchSpaceTables.Settings?
    var names = Set<String>()
    for seed in seeds.isEmpty ? [nil] : seeds.map(Optional.some) {
      var found = PaperResults()
      for path in try files() {
        let file = try PipelineFile(path: path)
        guard profile == nil || file.profileNames.contains(profile!) else { continue }
        let description = try file.description(profile: profile, fidelity: fidelity, seed: seed)
        if settings == nil { settings = try searched(by: description, in: store) }
        for table in description.stages where table.uses == TabulateStage.name {
          let gathered = try gather(table, of: description, in: store)
          let name = "\(profile ?? file.profile ?? "no profile"), seed \(description.seed)"
          if !gathered.isEmpty { names.insert(name) }
          found.merge(gathered) { first, _ in first }
        }
      }
      results.merge(found) { $0 + $1 }
    }
    let run = names.isEmpty ? "nothing was run yet" : names.sorted().joined(separator: "; ")
    let tables = SearchSpaceTables(settings).all + PaperTable.all.map { $0.filled(with: results) }
    Output.write(tables.map { $0.rendered(as: format, run: run) }.joined(separator: "\n"), to: 1)
  }

  private func files() throws -> [String] {
    try pipelines.flatMap { path -> [String] in
      var isFolder: ObjCBool = false
      guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else {
        throw ValidationError("\(path): no such file or folder")
      }
      guard isFolder.boolValue else { return [path] }
      let names = try FileManager.default.contentsOfDirectory(atPath: path).filter { $0.hasSuffix(".yaml") }
      return names.sorted().map { "\(path)/\($0)" }
    }
  }

  /// What the supernet of a pipeline spans, if it was trained.
  private func searched(
    by description: PipelineDescription, in store: Store
  ) throws -> SearchSpaceTables.Settings? {
    for stage in try Pipeline(description, registry: Stages.registry).summaries {
      guard let settings = try SearchSpaceTables.Settings(trainedBy: stage) else { continue }
      // A data set that is not on this machine is spoken of where results are gathered.
      let plan = try? plan([stage.name], of: description, in: store)
      let trained = plan?.stages.first { $0.name == stage.name }
      if trained?.instances.contains(where: { !$0.outputs.isEmpty }) ?? false { return settings }
    }
    return nil
  }

  /// The results that a stage takes, as far as the store has them.
  private func gather(
    _ table: PipelineDescription.StageEntry, of description: PipelineDescription, in store: Store
  ) throws -> PaperResults {
    let sources = table.needs.compactMap { need -> (row: PaperResult, stage: String, output: String)? in
      let parts = need.reference.text.split(separator: ".").map(String.init)
      guard let row = PaperResult(rawValue: need.input), parts.count == 2 else { return nil }
      return (row, parts[0], parts[1])
    }
    let plan: Plan
    do {
      plan = try self.plan(sources.map(\.stage), of: description, in: store)
    } catch let error as PipelineError where error.isUserData {
      // A data set that is not on this machine: nothing was run with it.
      Output.error("\(description.file): left out: \(error.message)")
      return [:]
    }
    var results = PaperResults()
    for source in sources {
      let instances = plan.stages.first { $0.name == source.stage }?.instances ?? []
      let artifacts = instances.map { $0.outputs[source.output] }
      guard !artifacts.isEmpty, artifacts.allSatisfy({ $0 != nil }) else { continue }
      let found = try artifacts.map { artifact in
        let path = Lookup(store: store).path(of: artifact!)
        guard let bytes = FileManager.default.contents(atPath: path) else {
          throw ValidationError("\(path): cannot read the result; 'autopanoptic repair' makes it anew")
        }
        return try TabulateStage.result(CanonicalValue(json: [UInt8](bytes)))
      }
      results[source.row] = TabulateStage.best(found).map { [$0] }
    }
    return results
  }

  private func plan(_ stages: [String], of description: PipelineDescription, in store: Store) throws -> Plan {
    try Planner(
      pipeline: try Pipeline(description, registry: Stages.registry), store: store,
      variables: try Variables.all([])
    ).plan(stages: stages)
  }
}

extension TableFormat: ExpressibleByArgument {}
