import Determinism
import Foundation
import PipelineFiles
import Search
import Testing

@testable import Pipelines
@testable import Stages

@Suite("Stages on planted landscapes")
struct LandscapeStageTests {
  /// Runs a pipeline in a folder of its own, and hands `body` what finds values of its outputs.
  private static func run(
    _ text: String, _ body: (_ output: (String) throws -> CanonicalValue) throws -> Void
  ) throws {
    let parent = access("/dev/shm", W_OK) == 0 ? "/dev/shm/" : NSTemporaryDirectory()
    let folder = parent + "landscape-\(UInt64.random(in: 0 ... .max))"
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let registry = Stages.registry()
    let store = try Store(path: folder, registry: registry)
    let file = try PipelineFile(text: text, path: "landscape.yaml")
    let planner = Planner(
      pipeline: try Pipeline(file.description(), registry: registry), store: store, variables: [:],
      interruption: Interruption())
    let result = try Runner(planner: planner, options: RunOptions()) { _ in }.run(stages: [])
    #expect(result.failures.isEmpty, "\(result.failures.map(\.message))")
    let lookup = Lookup(store: store)
    try body { name in
      guard case .artifact(let artifact) = try lookup.find(name) else {
        Issue.record("no \(name)")
        return .null
      }
      return try lookup.verifiedValue(of: artifact.digest)
    }
  }

  @Test("policies that run in place find what they find through the stages of a pipeline")
  func samePolicies() throws {
    let text = """
      pipeline: landscape
      seed: 77
      let: { landscape: { effects: few, epistasis: 0.3, noise: 0.8 } }
      stages:
        place:
          uses: search-landscape
          with: { landscape: $landscape, landscapes: 4, evaluations: [24], cycle-blocks: [], small-evaluations: 24,
            evolution: { population: 12, parents: 4, mutations: 5, crossovers: 5 } }
        proposed: { uses: propose-candidates, with: { cycles: 2 } }
        proposed-worth:
          { uses: planted-fitness, for-each: proposed.architectures, needs: { architecture: each }, with: { landscape: $landscape } }
        composed: { uses: select-architecture, needs: { evaluations: proposed-worth.result } }
        met: { uses: select-fittest, needs: { evaluations: proposed-worth.result } }
        random: { uses: draw-candidates, with: { count: 24 } }
        random-worth:
          { uses: planted-fitness, for-each: random.architectures, needs: { architecture: each }, with: { landscape: $landscape } }
        random-best: { uses: select-fittest, needs: { evaluations: random-worth.result } }
        bred:
          uses: evolve-candidates
          repeat: 2
          needs: { generations: earlier bred.architectures, evaluations: earlier bred-worth.result }
          with: { population: 12, parents: 4, mutations: 5, crossovers: 5 }
        bred-worth:
          { uses: planted-fitness, for-each: bred.architectures, needs: { architecture: each }, with: { landscape: $landscape } }
        bred-best: { uses: select-fittest, needs: { evaluations: bred-worth.result } }
        composed-truth:
          { uses: planted-fitness, needs: { architecture: composed.architecture }, with: { landscape: $landscape } }
      """
    try Self.run(text) { output in
      let courses = try output("place.courses").decoded(as: LandscapeCourses.self)
      let landscape = PlantedLandscape(
        LandscapeDescription(effects: .few, epistasis: 0.3, noise: 0.8), in: .published,
        seeds: Seeds(kind: "planted-fitness", seed: 77))
      for (policy, stage) in [
        ("path-priority", "composed"), ("path-priority-met", "met"), ("random", "random-best"),
        ("evolution", "bred-best"), ("evolution-small", "bred-best"),
      ] {
        let found = try output("\(stage).architecture").decoded(as: Architecture.self).genome
        let expected = landscape.optimum.fitness - landscape.fitness(of: found)
        let regret = try #require(courses.regrets(policy, 24)?.first)
        // To six decimals.
        #expect(abs(regret - expected) < 6e-7, "\(policy): \(regret), \(expected)")
        if stage == "composed" {
          let truth = try output("composed-truth.truth").decoded(as: PlantedTruth.self)
          #expect(truth.regret == expected && truth.optimum.genome == landscape.optimum.genome)
          let result = try output("composed-truth.result").decoded(as: CandidateResult.self)
          #expect(result.pq == 0.5 + 0.01 * landscape.evaluate(found) && result.images == 0)
        }
      }
      let metrics = try output("place.metrics")
      #expect(MetricsFormat.problem(with: metrics) == nil && metrics["random"]?["24"]?.numberValue != nil)
    }
  }

  @Test("an evaluation beyond a quality of 0 to 1 is refused, and so are impossible landscapes")
  func refused() throws {
    func refusal(_ parameters: String, of name: String = "planted-fitness") throws -> String {
      let needs = name == "planted-fitness" ? "for-each: b.architectures, needs: { architecture: each }," : ""
      let text = """
        pipeline: x
        stages:
          b: { uses: draw-candidates }
          a: { uses: \(name), \(needs) with: \(parameters) }
        """
      let file = try PipelineFile(text: text, path: "x.yaml")
      let error = #expect(throws: PipelineError.self) {
        _ = try Pipeline(file.description(), registry: Stages.registry())
      }
      return error?.description ?? ""
    }
    #expect(try refusal("{ landscape: { epistasis: 1.5 } }").contains("'landscape.epistasis': must be in 0.0...1.0"))
    #expect(try refusal("{ landscape: { noise: -1 } }").contains("'landscape.noise'"))
    #expect(try refusal("{ landscape: { effects: eqal } }").contains("equal"))
    #expect(try refusal("{ deviation: 0 }").contains("'deviation'"))
    #expect(
      try refusal("{ evaluations: [60, 12] }", of: "search-landscape").contains("ascending"))
    #expect(try refusal("{ landscapes: 1 }", of: "search-landscape").contains("'landscapes'"))
    #expect(try refusal("{ landscape: { epistasis: 0.5 } }", of: "expect-scores").contains("must be 0"))
    #expect(try refusal("{ landscape: { noise: 0 } }", of: "expect-scores").contains("'landscape.noise'"))
  }
}

@Suite("LandscapeSummary")
struct LandscapeSummaryTests {
  /// Courses of the four policies after as many evaluations as in the paper.
  private static func courses(
    noise: Double, composed: [Double], evolution: [Double], random: [Double], five: [Double]
  ) throws -> LandscapeCourses {
    func course(_ policy: String, _ evaluations: [Int], _ regret: [Double]) -> CanonicalValue {
      [
        "policy": .string(policy), "evaluations": .array(evaluations.map { .integer($0) }),
        "regret": .array(evaluations.map { _ in .array(regret.map { .number($0) }) }),
      ]
    }
    let value: CanonicalValue = [
      "landscape": ["effects": "equal", "epistasis": 0, "noise": .number(noise)],
      "courses": [
        course("path-priority", [60], composed), course("evolution", [60, 1000], evolution),
        course("evolution-small", [60], evolution), course("random", [60, 300], random),
        course("best-of-five", [5], five),
      ],
    ]
    return try value.decoded(as: LandscapeCourses.self)
  }

  @Test("says how often table 5 comes out in order and as printed, and what its numbers imply")
  func order() throws {
    // Of four landscapes three are in order, two of these with differences that are alike.
    let first = try Self.courses(
      noise: 1, composed: [1, 1, 1, 3], evolution: [2, 2, 2, 2], random: [3, 3.5, 9, 3], five: [4.7, 4.7, 4.7, 4.7])
    let second = try Self.courses(
      noise: 2, composed: [1, 1, 1, 1], evolution: [2, 2, 2, 2], random: [3, 3, 3, 3], five: [4.7, 4.7, 4.7, 4.7])
    let summary = try LandscapeSummary([first, second], .init())
    let order = summary.kinds[0].paper
    #expect(order.evaluations == [60, 1000, 300] && order.ordered == 0.75 && order.printed == 0.5)
    #expect(order.pathPriorityOverEvolution.mean == 0.5 && order.winner.place == 0 && !order.winner.isCertain)
    // The paper's numbers exactly: one percent PQ a standard deviation.
    let exact = summary.kinds[1].table5
    #expect(abs(exact.deviation - 1) < 1e-12 && exact.residual < 1e-12)
    let noise = summary.likelihood.filter { $0.factor == "noise" }
    #expect(noise.map(\.value) == ["1.00", "2.00"])
    let third = 1.0 / 3
    #expect(noise.map(\.printed) == [third, 2 * third])
    // Random search is better than the best of five, but on the third landscape of the first kind.
    #expect(summary.kinds.map(\.table5.allOrdered) == [0.5, 1])
    #expect(noise.map(\.allOrdered) == [third, 2 * third])
    #expect(summary.kinds[0].policies[0].behind == [nil])
    #expect(summary.kinds[1].policies[1].behind[0]?.mean == 1)
    for (name, svg) in summary.figures { #expect(svg.contains("</svg>") && !svg.contains("nan"), "\(name)") }
    #expect(summary.tables.map(\.name) == ["policies", "variants", "table-5"])
    let table = summary.tables[2].table.rendered(as: .csv)
    #expect(table.contains("equal,0.00,2.00,") && table.contains(",100,100,100,1.00,0.00"))
  }

  @Test("intervals of means are those of Student's t")
  func intervals() throws {
    let values = [1.0, 4, 2, 8, 5]
    let (own, other) = (MeanInterval(values, reach: MeanInterval.reach(of: 5)), try #require(MeanEstimate(values)))
    let interval = try #require(other.interval)
    #expect(abs(own.low - interval.lower) < 1e-12 && abs(own.high - interval.upper) < 1e-12)
    #expect(abs(MeanInterval.reach(of: 5) - 2.7764451) < 1e-6)
  }

  @Test("refuses courses that no stage writes")
  func refused() throws {
    let good = try Self.courses(
      noise: 1, composed: [1, 1, 1, 1], evolution: [2, 2, 2, 2], random: [3, 3, 3, 3], five: [4, 4, 4, 4])
    try good.check(place: "here")
    func refusal(_ change: (inout LandscapeCourses) -> Void) -> String {
      var bad = good
      change(&bad)
      return #expect(throws: StageInputError.self) { try bad.check(place: "here") }?.description ?? ""
    }
    #expect(refusal { $0.landscape.epistasis = .nan }.contains("here: epistasis"))
    #expect(refusal { $0.courses[0].regret[0].removeLast() }.contains("landscapes"))
    #expect(refusal { $0.courses[1].regret[1][2] = .infinity }.contains("'evolution'"))
    #expect(refusal { $0.courses[1].evaluations = [60, 60] }.contains("ascend"))
    #expect(refusal { $0.courses[1].evaluations = [60] }.contains("ascend"))
    #expect(refusal { $0.courses[1].policy = "random" }.contains("twice"))
    #expect(refusal { $0.courses = [] }.contains("landscapes"))
    let error = #expect(throws: StageInputError.self) {
      var parameters = CompareLandscapesStage.Parameters()
      parameters.evolution = 999
      _ = try LandscapeSummary([good], parameters)
    }
    #expect(error?.description.contains("'evolution' finds after 999") == true)
  }
}
