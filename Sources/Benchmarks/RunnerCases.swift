import Determinism
import Foundation
import Pipelines

/// The pipelines that the runner's costs are measured with: stages that do next to nothing, so that what remains is
/// the runner's.
enum RunnerCases {
  /// Passes a number on.
  struct Step: Stage {
    struct Parameters: StageParameters { var index = 0 }
    static let name = "step", version = 1
    static let inputs = [InputPort("before", "json", optional: true)]
    static let outputs = [OutputPort("after", "json")]
    let parameters: Parameters
    func run(in context: StageContext) throws {
      let before = try context.optionalInput("before")?.json().integerValue ?? 0
      try context.write("after", json: before &* 31 &+ parameters.index)
    }
  }

  /// An array to fan out over.
  struct Range: Stage {
    struct Parameters: StageParameters { var count = 1 }
    static let name = "range", version = 1
    static let outputs = [OutputPort("list", "json")]
    let parameters: Parameters
    func run(in context: StageContext) throws { try context.write("list", json: Array(0..<parameters.count)) }
  }

  static let registry = StageRegistry(kinds: [StageKind(Step.self), StageKind(Range.self)])

  private static let place = SourceLocation(file: "benchmark")

  private static func entry(
    _ name: String, _ kind: String, _ with: [String: CanonicalValue], before: String? = nil, forEach: String? = nil
  ) -> PipelineDescription.StageEntry {
    PipelineDescription.StageEntry(
      name: name, nameLocation: place, uses: kind, usesLocation: place,
      needs: before.map {
        [.init(input: "before", inputLocation: place, reference: .init(text: $0, location: place))]
      } ?? [], with: LocatedValue(plain: .object(with), at: place),
      forEach: forEach.map { .init(text: $0, location: place) })
  }

  /// `count` stages in chains of ten at most, a hundred side by side at 1,000.
  static func chains(_ count: Int) throws -> Pipeline {
    let width = max(1, count / 10)
    let stages = (0..<count).map { i in
      entry("s\(i)", "step", ["index": .integer(i)], before: i < width ? nil : "s\(i - width).after")
    }
    return try Pipeline(
      PipelineDescription(name: "chains", file: "benchmark", seed: 1, stages: stages), registry: registry)
  }

  /// One stage for each of `count` elements of an array.
  static func fan(_ count: Int) throws -> Pipeline {
    let stages = [
      entry("range", "range", ["count": .integer(count)]),
      entry("each", "step", [:], before: "each", forEach: "range.list"),
    ]
    return try Pipeline(
      PipelineDescription(name: "fan", file: "benchmark", seed: 1, stages: stages), registry: registry)
  }

  static func run(_ pipeline: Pipeline, store: String, jobs: Int = 2) throws -> RunResult {
    var options = RunOptions()
    options.jobs = jobs
    options.threads = jobs
    let planner = Planner(pipeline: pipeline, store: try Store(path: store, registry: registry))
    return try Runner(planner: planner, options: options).run()
  }

  /// What a child process is asked to do: `chains 1000 STORE` or `fan 1000 STORE`.
  static func child(_ arguments: [String]) throws {
    let clock = ContinuousClock()
    let begin = clock.now
    let count = Int(arguments[1])!
    let pipeline = try arguments[0] == "chains" ? chains(count) : fan(count)
    let ready = clock.now
    let result = try run(pipeline, store: arguments[2])
    var usage = rusage()
    getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
    emit(
      CanonicalValue.object([
        "executed": .integer(result.executed), "cached": .integer(result.cached),
        "building": .number((ready - begin) / .seconds(1)), "running": .number((clock.now - ready) / .seconds(1)),
        "megabytes": .integer(usage.ru_maxrss >> 10), "root": .string(result.root?.hex ?? ""),
      ]).canonicalText)
  }
}
