import Determinism
import Foundation
import Pipelines
import Synchronization
import TensorFiles
import Tensors

/// Pipelines for measuring the runner's overhead: their stages do almost nothing.
enum RunnerCases {
  /// Computes one number from another.
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

  /// Writes an array to fan out over.
  struct Range: Stage {
    struct Parameters: StageParameters { var count = 1 }
    static let name = "range", version = 1
    static let outputs = [OutputPort("list", "json")]
    let parameters: Parameters
    func run(in context: StageContext) throws { try context.write("list", json: Array(0..<parameters.count)) }
  }

  /// Stores tensors from memory.
  struct Save: Stage {
    struct Parameters: StageParameters { var mebibytes = 1 }
    static let name = "save", version = 1
    static let outputs = [OutputPort("weights", "tensors")]
    let parameters: Parameters
    func run(in context: StageContext) throws {
      let file = try Weights.file(mebibytes: parameters.mebibytes)
      try context.write("weights", digest: { file.digest }) { try file.write(to: $0) }
    }
  }

  /// Reads the stored tensors.
  struct Load: Stage {
    struct Parameters: StageParameters { var attempt = 0 }
    static let name = "load", version = 1
    static let inputs = [InputPort("weights", "tensors")]
    static let outputs = [OutputPort("count", "json")]
    let parameters: Parameters
    func run(in context: StageContext) throws {
      let file = try TensorFile.read(context.input("weights").path)
      try context.write("count", json: file.entries.reduce(0) { $0 + $1.tensor.count })
    }
  }

  struct Tensors: ArtifactFormat {
    static let name = "tensors", fileExtension = "h5"
    func digest(ofFileAt path: String) throws -> Digest { try TensorFile.digest(ofFileAt: path) }
  }

  static let registry = StageRegistry(
    kinds: [StageKind(Step.self), StageKind(Range.self), StageKind(Save.self), StageKind(Load.self), .command],
    formats: [Tensors()])

  private static let place = SourceLocation(file: "benchmark")

  private static func entry(
    _ name: String, _ kind: String, _ with: [String: CanonicalValue], needs: [String: String] = [:],
    forEach: String? = nil
  ) -> PipelineDescription.StageEntry {
    PipelineDescription.StageEntry(
      name: name, nameLocation: place, uses: kind, usesLocation: place,
      needs: needs.map {
        .init(input: $0.key, inputLocation: place, reference: .init(text: $0.value, location: place))
      },
      with: LocatedValue(plain: .object(with), at: place), forEach: forEach.map { .init(text: $0, location: place) })
  }

  private static func pipeline(_ stages: [PipelineDescription.StageEntry]) throws -> Pipeline {
    try Pipeline(
      PipelineDescription(name: "benchmark", file: "benchmark", seed: 1, stages: stages), registry: registry)
  }

  /// `count` stages in chains of ten; for 1,000 stages a hundred parallel chains.
  static func chains(_ count: Int) throws -> Pipeline {
    let width = max(1, count / 10)
    return try pipeline(
      (0..<count).map { i in
        entry("s\(i)", "step", ["index": .integer(i)], needs: i < width ? [:] : ["before": "s\(i - width).after"])
      })
  }

  /// One stage for each of `count` elements of an array.
  static func fan(_ count: Int) throws -> Pipeline {
    try pipeline([
      entry("range", "range", ["count": .integer(count)]),
      entry("each", "step", [:], needs: ["before": "each"], forEach: "range.list"),
    ])
  }

  /// `count` commands that do nothing.
  static func commands(_ count: Int) throws -> Pipeline {
    try pipeline(
      (0..<count).map { i in
        entry(
          "s\(i)", "command", ["run": ["true", .string(String(i))], "stdout": "out", "outputs": ["out": "out"]])
      })
  }

  /// A stage that saves weights and, where `attempt` is given, one that reads them.
  static func weights(mebibytes: Int, attempt: Int? = nil) throws -> Pipeline {
    let save = entry("save", "save", ["mebibytes": .integer(mebibytes)])
    guard let attempt else { return try pipeline([save]) }
    return try pipeline([
      save, entry("load", "load", ["attempt": .integer(attempt)], needs: ["weights": "save.weights"]),
    ])
  }

  @discardableResult
  static func run(_ pipeline: Pipeline, store: String) throws -> RunResult {
    var options = RunOptions()
    options.jobs = min(8, Parallel.threads)
    options.threads = Parallel.threads
    let planner = Planner(pipeline: pipeline, store: try Store(path: store, registry: registry))
    let result = try Runner(planner: planner, options: options).run()
    if let failure = result.failures.first { throw Comparison.Failure(description: failure.message) }
    return result
  }

  /// The main function of a measured process: `chains COUNT STORE`, `fan COUNT STORE`, `save MEBIBYTES STORE` or
  /// `audit - STORE`. Prints the peak memory without the weights that were made before.
  static func child(_ arguments: [String]) throws {
    let (count, store) = (Int(arguments[1]) ?? 0, arguments[2])
    var before = 0.0
    switch arguments[0] {
    case "chains": try run(chains(count), store: store)
    case "fan": try run(fan(count), store: store)
    case "save":
      before = Double(try Weights.file(mebibytes: count).entries.reduce(0) { $0 + $1.tensor.byteCount })
      try run(weights(mebibytes: count), store: store)
    default: _ = try Auditor(store: Store(path: store, registry: registry), deep: true).audit()
    }
    emit(String(try Memory.peak() - before))
  }
}

/// Synthetic weights with a distribution like that of a trained network, made once for each size.
enum Weights {
  private static let made = Mutex<[Int: TensorFile]>([:])

  static func file(mebibytes: Int) throws -> TensorFile {
    if let file = made.withLock({ $0[mebibytes] }) { return file }
    let parts = 8
    let tensors = Parallel.map(parts) { part in
      // Sums of four uniform numbers approximate a normal distribution.
      var state = UInt64(part) &* 0x9E37_79B9_7F4A_7C15 | 1
      let tensor = Tensor(shape: [mebibytes << 18 / parts]) { _ in
        var sum: Float = -2
        for _ in 0..<4 {
          state ^= state << 13
          state ^= state >> 7
          state ^= state << 17
          sum += Float(state >> 40) * 0x1p-24
        }
        return sum * 0.05
      }
      return (name: "part\(part)", tensor: NamedTensor(tensor))
    }
    let file = try TensorFile(tensors: tensors)
    made.withLock { $0[mebibytes] = file }
    return file
  }
}
