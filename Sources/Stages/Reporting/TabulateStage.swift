import Determinism
import Pipelines
import Reports

/// The paper's tables with what this pipeline gave, as `tables.txt`, `.csv` and `.md`.
///
/// Every row has a port of its name. Some take the qualities of several models, of which the best counts. Only tables
/// of which some row is connected are written.
public struct TabulateStage: Stage {
  public struct Parameters: StageParameters {
    /// What the columns of this run are called, beside the seed.
    public var profile = ""
    public init() {}
  }

  public static let name = "tabulate"
  public static let version = 3
  public static let summary = "writes the paper's tables beside the results of this run"
  public static let inputs = PaperResult.allCases.map {
    InputPort($0.rawValue, "json", optional: true, list: $0.isBestOfSeveral)
  }
  // It draws nothing, but says the seed.
  public static let isRandom = true
  public static let outputs = [OutputPort("tables", "tree")]

  let parameters: Parameters

  public init(parameters: Parameters) { self.parameters = parameters }

  public func run(in context: StageContext) throws {
    var results = PaperResults()
    for row in PaperResult.allCases {
      let artifacts =
        row.isBestOfSeveral
        ? context.inputs(row.rawValue) : context.optionalInput(row.rawValue).map { [$0] } ?? []
      let found = try artifacts.map { try TabulateStage.result($0.json()) }
      if let best = TabulateStage.best(found) { results[row] = [best] }
    }
    let tables = PaperTable.all.filter { table in table.rows.contains { $0.result.map { results[$0] != nil } ?? false }
    }
    let run = (parameters.profile.isEmpty ? "" : parameters.profile + ", ") + "seed \(context.seeds.seed)"
    try context.write("tables", tables.map { $0.filled(with: results) }, named: "tables", run: run)
  }

  /// The best of several, which the paper reports of random architectures.
  public static func best(_ results: [QualityResult]) -> QualityResult? { results.max { $0.pq < $1.pq } }

  /// What `evaluate-panoptic` or `evaluate-candidate` wrote.
  /// - Throws: where it is something else.
  public static func result(_ quality: CanonicalValue) throws -> QualityResult {
    if quality["architecture"] != nil {
      let candidate = try quality.decoded(as: CandidateResult.self)
      try candidate.check(in: nil, place: "result")
      return QualityResult(
        pq: candidate.pq, things: candidate.things, stuff: candidate.stuff, sq: candidate.sq, rq: candidate.rq)
    }
    func number(_ group: String, _ name: String) throws -> Double {
      guard let value = quality[group]?[name]?.numberValue else {
        throw StageInputError(
          description:
            "a result without \(group).\(name): tables take results of evaluate-panoptic and evaluate-candidate")
      }
      guard (0...1).contains(value) else {
        throw StageInputError(description: "a result with \(group).\(name) \(value), which is no quality in 0...1")
      }
      return value
    }
    return QualityResult(
      pq: try number("All", "pq"), things: try number("Things", "pq"), stuff: try number("Stuff", "pq"),
      sq: try number("All", "sq"), rq: try number("All", "rq"))
  }
}
