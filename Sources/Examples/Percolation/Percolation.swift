// A complete program on the library `Pipelines`: it reproduces the site percolation threshold of the square lattice,
// 0.592746 (Newman & Ziff 2000), by a search whose every round depends on the results of those before.
//
//     swift run percolation            # runs, or finds everything done
//     swift run percolation audit      # verifies what is in the store
//
// On a lattice whose sites are open with probability p, is there an open path from top to bottom? Below the threshold
// almost never, above it almost always. Each round tries some probabilities between the largest one known to be below
// and the smallest one known to be above.

import Determinism
import Foundation
import PipelineFiles
import Pipelines

/// Proposes the probabilities of the next round.
struct Propose: Stage {
  struct Parameters: StageParameters {
    var points = 4
    var lowest = 0.0
    var highest = 1.0
  }
  static let name = "propose", version = 1
  static let summary = "spreads probabilities over what earlier rounds left open"
  static let inputs = [InputPort("earlier", "json", list: true)]
  static let outputs = [OutputPort("probabilities", "json")]
  let parameters: Parameters

  init(parameters: Parameters) throws {
    guard (1...10_000).contains(parameters.points) else { throw ParameterError("points", "must be in 1...10000") }
    guard 0 <= parameters.lowest, parameters.lowest <= parameters.highest, parameters.highest <= 1 else {
      throw ParameterError("highest", "needs 0 <= lowest <= highest <= 1")
    }
    self.parameters = parameters
  }

  func run(in context: StageContext) throws {
    let results = try context.inputs("earlier").map { try $0.decoded(as: Crossing.self) }
    let window = Window(results, within: parameters.lowest...parameters.highest)
    let step = (window.upper - window.lower) / Double(parameters.points + 1)
    try context.write("probabilities", json: (1...parameters.points).map { window.lower + Double($0) * step })
  }
}

/// How often there was a path at one probability.
struct Crossing: Codable {
  var probability: Double
  var fraction: Double
}

/// Where the threshold must be: half of the lattices are crossed there.
struct Window {
  var lower: Double
  var upper: Double

  init(_ results: [Crossing], within range: ClosedRange<Double>) {
    lower = results.filter { $0.fraction < 0.5 }.map(\.probability).max() ?? range.lowerBound
    upper = results.filter { $0.fraction >= 0.5 }.map(\.probability).min() ?? range.upperBound
  }
}

/// Fills lattices and looks for paths.
struct Percolate: Stage {
  struct Parameters: StageParameters {
    var side = 64
    var lattices = 100
  }
  static let name = "percolate", version = 1, isRandom = true
  static let summary = "the fraction of lattices with an open path from top to bottom"
  static let inputs = [InputPort("probability", "json")]
  static let outputs = [OutputPort("crossing", "json")]
  let parameters: Parameters

  init(parameters: Parameters) throws {
    guard (2...10_000).contains(parameters.side) else { throw ParameterError("side", "must be in 2...10000") }
    guard (1...1_000_000).contains(parameters.lattices) else {
      throw ParameterError("lattices", "must be in 1...1000000")
    }
    self.parameters = parameters
  }

  func run(in context: StageContext) throws {
    let probability = try context.input("probability").decoded(as: Double.self)
    // Every stream has a name: lattice 7 draws the same numbers at every probability, on any number of threads.
    let crossed = Parallel.map(parameters.lattices) { i in
      var random = context.seeds.stream("lattice/\(i)")
      return Lattice(side: parameters.side) { random.uniform() < probability }.isCrossed
    }
    try context.checkCancelled()
    let fraction = Double(crossed.count { $0 }) / Double(crossed.count)
    try context.write("crossing", json: Crossing(probability: probability, fraction: fraction))
  }
}

/// Open and closed sites, row by row.
struct Lattice {
  let side: Int
  private let isOpen: [Bool]

  init(side: Int, _ draw: () -> Bool) {
    self.side = side
    isOpen = (0..<side * side).map { _ in draw() }
  }

  /// Whether open sites, each beside or above the next, lead from the first row to the last.
  var isCrossed: Bool {
    var isReached = [Bool](repeating: false, count: isOpen.count)
    var open = (0..<side).filter { isOpen[$0] }
    for site in open { isReached[site] = true }
    while let site = open.popLast() {
      if site >= isOpen.count - side { return true }
      let column = site % side
      for (next, isThere) in [
        (site - 1, column > 0), (site + 1, column < side - 1), (site - side, site >= side), (site + side, true),
      ] where isThere && isOpen[next] && !isReached[next] {
        isReached[next] = true
        open.append(next)
      }
    }
    return false
  }
}

/// The middle of what is left.
struct Estimate: Stage {
  static let name = "estimate", version = 1
  static let summary = "where half of the lattices are crossed"
  static let inputs = [InputPort("crossings", "json", list: true)]
  static let outputs = [OutputPort("threshold", "json")]
  init(parameters: NoParameters) {}

  func run(in context: StageContext) throws {
    let results = try context.inputs("crossings").map { try $0.decoded(as: Crossing.self) }
    let window = Window(results, within: 0...1)
    try context.write(
      "threshold", json: ["value": (window.lower + window.upper) / 2, "uncertainty": (window.upper - window.lower) / 2])
  }
}

@main
enum Percolation {
  static let registry = StageRegistry(
    kinds: [StageKind(Propose.self), StageKind(Percolate.self), StageKind(Estimate.self)])

  /// Usually a file of its own: `PipelineFile(path:)`.
  static let pipeline = """
    pipeline: percolation
    seed: 2000
    stages:
      propose:
        uses: propose
        repeat: 5
        needs: { earlier: earlier percolate.crossing }
      percolate:
        uses: percolate
        for-each: propose.probabilities
        needs: { probability: each }
      estimate:
        uses: estimate
        needs: { crossings: percolate.crossing }
    """

  static func main() throws {
    let store = try Store(path: "artifacts/percolation", registry: registry)
    guard CommandLine.arguments.dropFirst().first != "audit" else {
      let report = try Auditor(store: store, deep: true).audit()
      for finding in report.findings { print("\(finding.kind): \(finding.path): \(finding.message)") }
      print(
        "\(report.records) records, \(report.objects) objects: \(report.isSound ? "no problems found" : "not sound")")
      return
    }
    let result = try reproduce(in: store) { event in
      if case .finished(let stage, _, _, let seconds) = event { print("\(stage): \(seconds) s") }
    }
    print("threshold \(result.threshold) +- \(result.uncertainty), root \(result.root)")
  }

  /// Brings the pipeline up to date and reads its result.
  static func reproduce(
    in store: Store, observer: @escaping @Sendable (RunEvent) -> Void = { _ in }
  ) throws -> (threshold: Double, uncertainty: Double, root: Digest, executed: Int) {
    let file = try PipelineFile(text: pipeline, path: "percolation.yaml")
    let planner = Planner(pipeline: try Pipeline(try file.description(), registry: registry), store: store)
    var options = RunOptions()
    options.threads = ProcessInfo.processInfo.activeProcessorCount
    options.jobs = options.threads
    Parallel.configure(threads: options.threads)
    let run = try Runner(planner: planner, options: options, observer: observer).run()
    if let failure = run.failures.first { throw failure.error }

    let plan = try planner.plan()
    guard let root = plan.root,
      let artifact = plan.stages.last(where: { $0.name == "estimate" })?.instances.first?.outputs["threshold"]
    else { throw StageInterrupted() }
    let value = try store.json(of: artifact)
    return (value["value"]?.numberValue ?? .nan, value["uncertainty"]?.numberValue ?? .nan, root, run.executed)
  }
}
