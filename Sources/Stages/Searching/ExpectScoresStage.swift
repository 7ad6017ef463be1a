import Determinism
import Models
import Pipelines
import Search

/// Points of path-priority search on a planted landscape without interactions: as expected (method 15.3), and as so many
/// simulated cycles give them.
struct ExpectScoresStage: Stage {
  struct Parameters: NetworkParameters {
    /// Has no epistasis, and noise of at least 0.1.
    var landscape = LandscapeDescription()
    var cycles = 2000
    var network = NetworkConfiguration()
    init() {}
  }

  static let name = "expect-scores"
  static let version = 1
  static let summary = "compares the expected points of path-priority search with simulated cycles"
  static let outputs = [OutputPort("scores", "json")]
  static let isRandom = true
  static let highlights = [
    Highlight("deviations in standard errors, rms", of: "scores", at: "rms"),
    Highlight("largest", of: "scores", at: "largest"),
  ]

  let parameters: Parameters

  init(parameters: Parameters) throws {
    try parameters.network.check(at: "network")
    try parameters.landscape.check(at: "landscape", in: parameters.network)
    try require(
      parameters.landscape.epistasis == 0, "landscape.epistasis",
      "must be 0: with interactions the expectation is not known")
    try require(parameters.landscape.noise, in: 0.1...1000, "landscape.noise")
    try require(parameters.cycles, in: 10...1_000_000, "cycles")
    try require(
      parameters.network.searchSpace.blockLength <= 1000 && parameters.network.searchSpace.layerCount <= 1000,
      "network",
      "has \(parameters.network.searchSpace.layerCount) layers and blocks of "
        + "\(parameters.network.searchSpace.blockLength) models; this takes up to 1000 of each")
    self.parameters = parameters
  }

  func run(in context: StageContext) throws {
    let space = parameters.network.searchSpace
    let landscape = PlantedLandscape(parameters.landscape, in: space, seeds: context.seeds)
    let policy = PathPrioritySearch(space: space, cycles: 1)
    let proposals = Seeds(kind: ProposeCandidatesStage.streamName, seed: context.seeds.seed)
    var (sums, squares) = (space.choicesPerLayer.map { [Int](repeating: 0, count: $0) }, [[Int]]())
    squares = sums
    for first in stride(from: 0, to: parameters.cycles, by: 64) {
      try context.checkCancelled()
      context.progress(step: first, of: parameters.cycles, unit: "cycles")
      let boards = Parallel.map(min(64, parameters.cycles - first)) { i in
        Result {
          var board = Leaderboard(space: space)
          let models = policy.candidates(cycle: first + i, seeds: proposals)
          try board.score(
            models.enumerated().map { place, genome in
              // Evaluations are numbered, so that a model that occurs again has new noise.
              let number = (first + i) * space.blockLength + place
              return Evaluation(genome: genome, fitness: landscape.evaluate(genome, evaluation: number))
            })
          return board.scores
        }
      }
      for board in boards {
        for (layer, points) in try board.get().enumerated() {
          for (choice, value) in points.enumerated() {
            sums[layer][choice] += value
            squares[layer][choice] += value * value
          }
        }
      }
    }
    try context.write(
      "scores",
      json: ExpectedScores(
        expected: ScoreExpectation(of: landscape).points, sums: sums, squares: squares, cycles: parameters.cycles))
  }
}

/// Points of one cycle, `[layer][choice]`.
struct ExpectedScores: Codable, Sendable {
  var expected: [[Double]]
  /// Mean over the simulated cycles, and its standard error.
  var mean: [[Double]]
  var standardError: [[Double]]
  /// Differences of expectation and mean in standard errors: root mean square, near 1 where both agree, and the largest.
  var rms: Double
  var largest: Double

  init(expected: [[Double]], sums: [[Int]], squares: [[Int]], cycles: Int) {
    let count = Double(cycles)
    self.expected = expected
    mean = sums.map { $0.map { Double($0) / count } }
    standardError = zip(sums, squares).map { sums, squares in
      zip(sums, squares).map { sum, square in
        let variance = (Double(square) - Double(sum) * Double(sum) / count) / (count - 1)
        return (max(0, variance) / count).squareRoot()
      }
    }
    var deviations = [Double]()
    for (layer, points) in expected.enumerated() {
      for (choice, point) in points.enumerated() where standardError[layer][choice] > 0 {
        deviations.append((mean[layer][choice] - point) / standardError[layer][choice])
      }
    }
    largest = deviations.reduce(0) { max($0, $1.magnitude) }
    rms = (deviations.reduce(0) { $0 + $1 * $1 } / Double(max(1, deviations.count))).squareRoot()
  }
}
