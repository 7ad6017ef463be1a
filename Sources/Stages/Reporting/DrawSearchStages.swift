import Determinism
import Models
import Pipelines
import Reports
import Search

/// Figure 2a: the points of every operator in every layer.
struct DrawScoresStage: Stage {
  struct Parameters: NetworkParameters {
    var network = NetworkConfiguration()
    init() {}
  }

  static let name = "draw-scores"
  static let version = 2
  static let summary = "draws the points of every operator in every layer (Figure 2a)"
  static let inputs = [InputPort("leaderboard", "json")]
  static let outputs = [OutputPort("figure", "tree")]

  let parameters: Parameters

  init(parameters: Parameters) throws {
    try parameters.network.check(at: "network")
    self.parameters = parameters
  }

  func run(in context: StageContext) throws {
    let input = context.input("leaderboard")
    let report = try input.decoded(as: LeaderboardReport.self)
    try report.check(in: parameters.network, place: input.path)
    try context.write("figure", svg: report.figure(parameters.network).svg, named: "operator-scores")
  }
}

extension LeaderboardReport {
  /// The points of every operator.
  /// - Precondition: `check` finds nothing for the network.
  func figure(_ configuration: NetworkConfiguration) -> OperatorScores {
    var ends: [Int] = []
    for count in configuration.backbone.stageBlocks.dropLast() { ends.append((ends.last ?? 0) + count) }
    let space = configuration.searchSpace
    let selected = models[0].genome.choices
    func part(
      _ part: SearchSpace.Part, _ title: String, _ choices: [String], _ table: [[Int]], ends: [Int]
    )
      -> OperatorScores.Part
    {
      .init(title: title, choices: choices, table: table, selected: Array(selected[space.range(of: part)]), ends: ends)
    }
    return OperatorScores(
      title: "Points of every operator after the search",
      parts: [
        part(.backbone, "backbone, stages 1 to 4", configuration.backbone.operators.names, backbone, ends: ends),
        part(
          .head, "heads: mask, semantic", configuration.headOperators.names, head,
          ends: [space.layers(in: .mask)]),
        part(
          .attention, "attention: things to stuff, stuff to things",
          configuration.attention.ratios.map { "ratio \($0)" }, attention,
          ends: [space.layers(in: .thingsToStuff)]),
      ].filter { !$0.selected.isEmpty })
  }
}

/// Figure 2b: the models that each policy met, in the order of evaluation.
struct DrawPoliciesStage: Stage {
  static let name = "draw-policies"
  static let version = 2
  static let summary = "draws the models that search policies met (Figure 2b)"
  static let inputs = [
    InputPort("path-priority", "json", list: true), InputPort("evolution", "json", optional: true, list: true),
    InputPort("random", "json", optional: true, list: true), InputPort("selected", "json", optional: true),
  ]
  static let outputs = [OutputPort("figure", "tree")]

  init(parameters: NoParameters) {}

  func run(in context: StageContext) throws {
    let names = [("path-priority", "path-priority"), ("evolution", "evolution"), ("random", "random search")]
    let selected = try context.optionalInput("selected")?.candidate().pq
    let policies = try names.map { port, name in
      ExploredModels.Policy(
        name: name, fitness: try context.inputs(port).map { try $0.candidate().pq },
        composed: port == "path-priority" ? selected : nil)
    }
    let figure = ExploredModels(
      title: "Models explored by each policy", policies: policies.filter { !$0.fitness.isEmpty })
    try context.write("figure", svg: figure.svg, named: "explored-models")
  }
}

/// Supplement, Figure 1: the searched layers of an architecture.
struct DrawArchitectureStage: Stage {
  struct Parameters: NetworkParameters {
    var network = NetworkConfiguration()
    var title = "The searched architecture"
    init() {}
  }

  static let name = "draw-architecture"
  static let version = 1
  static let summary = "draws the searched layers of an architecture (supplement, Figure 1)"
  static let inputs = [InputPort("architecture", "json")]
  static let outputs = [OutputPort("figure", "tree")]

  let parameters: Parameters

  init(parameters: Parameters) throws {
    try parameters.network.check(at: "network")
    self.parameters = parameters
  }

  func run(in context: StageContext) throws {
    let architecture = try context.input("architecture").architecture(in: parameters.network)
    let rows = ArchitectureDrawing.rows(of: architecture, parameters.network)
    try context.write(
      "figure", svg: BlockDiagram(title: parameters.title, rows: rows).svg, named: "architecture")
  }
}

extension StageContext {
  func write(_ output: String, svg: String, named name: String) throws {
    try write(output) { try FileIO.write(Array(svg.utf8), to: "\($0)/\(name).svg") }
  }
}
