import Determinism
import Models
import Pipelines
import Reports

/// Table 1 of the paper and of its supplement beside what this pipeline searches, as `search-space.txt`, `.csv` and
/// `.md`.
struct SearchSpaceStage: Stage {
  struct Parameters: NetworkParameters {
    /// Of the supernet.
    var network = NetworkConfiguration()
    /// What the columns of this run are called.
    var profile = ""
    init() {}
  }

  static let name = "tabulate-search-space"
  static let version = 2
  static let summary = "writes the paper's tables of the search space beside what is searched here"
  static let inputs: [InputPort] = []
  static let outputs = [OutputPort("tables", "tree")]

  let parameters: Parameters

  init(parameters: Parameters) throws {
    try parameters.network.check(at: "network")
    self.parameters = parameters
  }

  func run(in context: StageContext) throws {
    let tables = SearchSpaceTables(SearchSpaceTables.Settings(parameters.network)).all
    let run = parameters.profile.isEmpty ? "this pipeline" : parameters.profile
    try context.write("tables", tables, named: "search-space", run: run)
  }
}

extension SearchSpaceTables.Settings {
  init(_ network: NetworkConfiguration) {
    self.init(
      space: network.searchSpace,
      backbone: network.backbone.isSearched ? network.backbone.operators.names : [],
      heads: network.headOperators.names, ratios: network.attention.enabled ? network.attention.ratios : [],
      stemChannels: network.backbone.stemChannels, stageChannels: network.backbone.stageChannels,
      stageBlocks: network.backbone.stageBlocks)
  }

  /// What a stage that trains a supernet searches; nil for all others.
  public init?(trainedBy stage: StageSummary) {
    guard let training = stage.subject as? FinetuneSupernetStage else { return nil }
    self.init(training.parameters.network)
  }
}

extension StageContext {
  /// The tables as text, CSV and Markdown in the folder of an output.
  func write(_ output: String, _ tables: [ReportTable], named name: String, run: String) throws {
    try write(output) { folder in
      for (format, suffix) in [(TableFormat.text, "txt"), (.csv, "csv"), (.markdown, "md")] {
        let text = tables.map { $0.rendered(as: format, run: run) }.joined(separator: "\n")
        try FileIO.write(Array(text.utf8), to: "\(folder)/\(name).\(suffix)")
      }
    }
  }
}
