import Determinism
import Foundation
import Models
import NN
import Panoptic
import Search
import TensorFiles
import Testing

@testable import Stages

/// Almost valid artifacts of unknown origin: each is refused with its position, or can be used.
@Suite("Artifacts with extreme content")
struct ForeignArtifactTests {
  private static let network: NetworkConfiguration = {
    var network = TinyNetwork.configuration
    network.backbone.stageBlocks = [2, 1, 1, 1]
    network.boxHead.pooledSize = 2
    return network
  }()

  private static let architecture = Architecture(
    backbone: [0, 3, 1, 2, 0], head: [5, 0, 3], inter: [0, 1, 2, 0, 1, 2, 0, 1, 2])

  private static let candidate: CanonicalValue = [
    "architecture": try! CanonicalValue(encoding: architecture), "pq": 0.5, "standardError": 0.25, "things": 0.5,
    "stuff": 0.5, "sq": 0.75, "rq": 0.625, "images": 4,
  ]

  private static let leaderboard: CanonicalValue = {
    func table(_ part: SearchSpace.Part) -> CanonicalValue {
      .array(
        (0..<network.searchSpace.choices(of: part)).map { choice in
          .array(network.searchSpace.range(of: part).map { .integer($0 + choice) })
        })
    }
    return [
      "backbone": table(.backbone), "head": table(.head), "attention": table(.attention),
      "models": .array([try! CanonicalValue(encoding: architecture)]),
      "candidates": .array([["cycle": 0, "evaluation": candidate]]),
    ]
  }()

  private static let absurd: [CanonicalValue] = [
    .integer(-1), .integer(0), .integer(1), .integer(6), .integer(1 << 31), .integer(1 << 53), .integer(1 << 62),
    .integer(.max), .integer(.min), .number(0.5), .number(-1e300), .number(1e300), .number(1e-300), .null, .bool(true),
    .string(""), .string("9"), .array([]), .object([:]), .array([.integer(.max), .integer(.max)]),
  ]

  /// Changes one place of a tree: another value, one element less or more, or one member less.
  private static func mutant(of value: CanonicalValue, _ random: inout RandomStream) -> CanonicalValue {
    switch value {
    case .object(var members) where !members.isEmpty && !random.chance(0.05):
      let name = members.keys.sorted()[random.below(members.count)]
      if random.chance(0.05) { members[name] = nil } else { members[name] = mutant(of: members[name]!, &random) }
      return .object(members)
    case .array(var elements) where !elements.isEmpty && !random.chance(0.05):
      let i = random.below(elements.count)
      switch random.below(8) {
      case 0: elements.remove(at: i)
      case 1: elements.append(elements[i])
      case 2: elements.append(absurd[random.below(absurd.count)])
      default: elements[i] = mutant(of: elements[i], &random)
      }
      return .array(elements)
    default:
      return absurd[random.below(absurd.count)]
    }
  }

  /// Runs `body` on mutants. It throws, or uses the mutant.
  private static func fuzz(
    _ original: CanonicalValue, _ name: String, count: Int = 20_000, _ body: (CanonicalValue) throws -> Void
  ) throws {
    try body(original)
    var random = Seeds(kind: "foreign-artifacts", seed: 1).stream(name)
    var (taken, refused) = (0, 0)
    for _ in 0..<count {
      var value = mutant(of: original, &random)
      if random.chance(0.2) { value = mutant(of: value, &random) }
      do {
        try body(value)
        taken += 1
      } catch is DecodingError {
        refused += 1
      } catch let error as any DiagnosableError {
        refused += 1
        #expect(error.description.contains("somewhere"), "\(error)")
      }
    }
    #expect(taken > 0 && refused > count / 10, "\(name): \(taken) taken, \(refused) refused")
  }

  @Test("an accepted architecture can be counted, drawn and built")
  func architectures() throws {
    let network = Self.network
    try Self.fuzz(try CanonicalValue(encoding: Self.architecture), "architecture", count: 5_000) { value in
      let architecture = try value.decoded(as: Architecture.self)
      try network.validate(architecture, place: "somewhere")
      _ = ArchitectureDrawing.rows(of: architecture, network)
      #expect(network.backbone.multiplyAdds(path: architecture.backbone, side: 64) > 0)
      #expect(architecture.genome.choices.count == network.searchSpace.layerCount)
      #expect(!architecture.genome.description.isEmpty)
    }
    let built = PanopticNetwork(
      network, thingClasses: 2, stuffClasses: 2, content: .fixed(Self.architecture), batchNormMomentum: 0.1, seeds: nil)
    #expect(built.store.parameterCount > 0)
  }

  @Test("accepted candidates can be ranked and bred")
  func candidates() throws {
    let network = Self.network
    try Self.fuzz(Self.candidate, "candidate") { value in
      let result = try value.decoded(as: CandidateResult.self)
      try result.check(in: network, place: "somewhere")
      let evaluation = Evaluation(genome: result.architecture.genome, fitness: result.pq)
      var board = Leaderboard(space: network.searchSpace)
      try board.score([evaluation, evaluation])
      var search = EvolutionarySearch(space: network.searchSpace)
      search.population = 3
      let seeds = Seeds(kind: "test", seed: 1)
      #expect(try !search.candidates(generation: 1, history: [evaluation], seeds: seeds).isEmpty)
    }
    // Without a known network.
    try Self.fuzz(Self.candidate, "plausible") { value in
      let result = try value.decoded(as: CandidateResult.self)
      try result.check(in: nil, place: "somewhere")
      #expect((100 * result.pq).text(digits: 2).count < 10 && !result.architecture.genome.description.isEmpty)
    }
  }

  @Test("an accepted leaderboard can be drawn")
  func leaderboards() throws {
    try Self.fuzz(Self.leaderboard, "leaderboard", count: 5_000) { value in
      let report = try value.decoded(as: LeaderboardReport.self)
      try report.check(in: Self.network, place: "somewhere")
      #expect(report.figure(Self.network).svg.contains("</svg>"))
    }
  }

  @Test("an accepted network description in weights can be built from its file")
  func descriptions() throws {
    let network = PanopticNetwork(
      Self.network, thingClasses: 2, stuffClasses: 2, content: .fixed(Self.architecture), batchNormMomentum: 0.1,
      seeds: Seeds(kind: "test", seed: 1))
    let tensors = try network.file(batchNormMomentum: 0.1).entries.map { (name: $0.name, tensor: $0.tensor) }
    let text = try #require(try network.file(batchNormMomentum: 0.1).attributes["network"]?.stringValue)
    try Self.fuzz(try CanonicalValue(json: Array(text.utf8)), "description", count: 4_000) { value in
      let file = try TensorFile(tensors: tensors, attributes: ["network": .string(value.canonicalText)])
      _ = try PanopticNetwork.load(file, path: "somewhere", content: .fixed(Self.architecture))
    }
    for classes in [-1, 1, 3, 1 << 31, 1 << 62, Int.max] {
      for member in ["thingClasses", "stuffClasses"] {
        var description = try #require(try CanonicalValue(json: Array(text.utf8)).objectValue)
        description[member] = .integer(classes)
        let file = try TensorFile(
          tensors: tensors, attributes: ["network": .string(CanonicalValue.object(description).canonicalText)])
        let error = #expect(throws: StateError.self) {
          _ = try PanopticNetwork.load(file, path: "somewhere", content: .fixed(Self.architecture))
        }
        #expect(error?.description.contains("attribute 'network'") == true, "\(member) \(classes)")
      }
    }
  }
}
