import Determinism
import Foundation
import PipelineFiles
import Synchronization
import Testing

@testable import ArtifactStore
@testable import PipelineModel
@testable import PipelineRunner
@testable import Provenance

/// Adds up random numbers, one in each step, and saves a checkpoint every other step.
struct Train: Stage {
  struct Optimizer: Codable, Sendable {
    var rate: Float = 0.1
    var momentum: Double?
  }
  enum Mode: String, Codable, CaseIterable, Sendable { case fast, slow }
  struct Parameters: StageParameters {
    var steps = 6
    var optimizer = Optimizer()
    var mode = Mode.fast
    var stopAtStep: Int?
    var layerWidths = [8, 16]
  }

  static let name = "train", version = 3, isRandom = true, traits = ["numerics"]
  static let inputs = [InputPort("data", "tree", optional: true), InputPort("start", "json", optional: true)]
  static let outputs = [OutputPort("weights", "json")]
  /// Whether a run requests its own interruption at `stop-at-step`. Not a parameter: the run that resumes must have
  /// the same key.
  static let interruptsItself = Atomic<Bool>(false)
  let parameters: Parameters

  init(parameters: Parameters) throws {
    guard parameters.steps > 0 else { throw ParameterError("steps", "must be above 0") }
    guard parameters.optimizer.rate > 0 else { throw ParameterError("optimizer.rate", "must be above 0") }
    self.parameters = parameters
  }

  func run(in context: StageContext) throws {
    var (step, sum) = (0, UInt64(0))
    if let checkpoint = try context.latestCheckpoint() {
      step = checkpoint.step
      sum = try #require(UInt64(String(contentsOfFile: checkpoint.path, encoding: .utf8)))
    }
    while step < parameters.steps {
      var random = context.seeds.stream("step/\(step)")
      sum &+= random.next() >> 8
      step += 1
      context.recordDigest(step: step, name: "sum", digest: Digest(of: String(sum)))
      context.progress(step: step, of: parameters.steps)
      if step % 2 == 0 {
        try context.saveCheckpoint(step: step, of: parameters.steps) { try save(String(sum), to: $0) }
      }
      if step == parameters.stopAtStep, Train.interruptsItself.load(ordering: .relaxed) {
        context.interruption.request()
      }
      try context.checkCancelled()
    }
    try context.write("weights", json: ["sum": String(sum), "rate": "\(parameters.optimizer.rate)"])
  }
}

/// Makes an array of genes, for others to fan out over.
struct Candidates: Stage {
  struct Parameters: StageParameters {
    var genes = [1, 2, 3]
    /// Changes the key, not the result.
    var comment = ""
  }
  static let name = "candidates", version = 1
  static let outputs = [OutputPort("list", "json")]
  let parameters: Parameters
  func run(in context: StageContext) throws {
    try context.write("list", json: parameters.genes.map { ["gene": $0] })
  }
}

/// Squares the gene of an architecture. It ignores the weights.
struct Evaluate: Stage {
  static let name = "evaluate", version = 1
  static let inputs = [InputPort("architecture", "json"), InputPort("weights", "json", optional: true)]
  static let outputs = [OutputPort("quality", "json")]
  init(parameters: NoParameters) {}
  func run(in context: StageContext) throws {
    let gene = try context.input("architecture").decoded(as: [String: Int].self)["gene"] ?? 0
    try context.write("quality", json: ["quality": gene * gene])
  }
}

/// Pairs the quality of an architecture with the architecture.
struct Refine: Stage {
  static let name = "refine", version = 1
  static let inputs = [InputPort("quality", "json"), InputPort("architecture", "json")]
  static let outputs = [OutputPort("refined", "json")]
  init(parameters: NoParameters) {}
  func run(in context: StageContext) throws {
    try context.write("refined", json: [try context.input("quality").json(), try context.input("architecture").json()])
  }
}

/// Collects qualities in a list, and writes a tree with two files.
struct Gather: Stage {
  static let name = "gather", version = 1
  static let inputs = [InputPort("qualities", "json", list: true)]
  static let outputs = [OutputPort("board", "json"), OutputPort("pictures", "tree")]
  init(parameters: NoParameters) {}
  func run(in context: StageContext) throws {
    try context.write("board", json: context.inputs("qualities").map { try $0.json() })
    try context.write("pictures") { folder in
      try FileManager.default.createDirectory(atPath: folder + "/a/b", withIntermediateDirectories: true)
      try save("deep", to: folder + "/a/b/deep.txt")
      try save("flat", to: folder + "/flat.txt")
    }
  }
}

/// Proposes the two genes after the best so far, and none once they would exceed ten.
struct Breed: Stage {
  static let name = "breed", version = 1, isRandom = true
  static let inputs = [InputPort("history", "json", list: true)]
  static let outputs = [OutputPort("genes", "json")]
  init(parameters: NoParameters) {}
  func run(in context: StageContext) throws {
    let best = try context.inputs("history").map { try $0.decoded(as: [String: Int].self)["quality"] ?? 0 }.max()
    let next = Int(Double(best ?? 0).squareRoot()) + 1
    try context.write("genes", json: next > 10 ? [] : (next..<next + 2).map { ["gene": $0] })
  }
}

/// Halves a number, rounding down. The fixed point is 0.
struct Halve: Stage {
  struct Parameters: StageParameters { var start = 9 }
  static let name = "halve", version = 1
  static let inputs = [InputPort("state", "json", optional: true)]
  static let outputs = [OutputPort("state", "json")]
  let parameters: Parameters
  func run(in context: StageContext) throws {
    let state = try context.optionalInput("state")?.json().integerValue ?? parameters.start
    try context.write("state", json: state / 2)
  }
}

/// A number that stages read although no key holds it.
final class HiddenNumber: Sendable {
  private let value = Mutex(1)
  var current: Int { value.withLock { $0 } }
  func set(_ number: Int) { value.withLock { $0 = number } }
}

/// A stage whose result is not a function of its inputs: what `rerun`, `recompute` and `repair` are there to find.
///
/// Every suite has a conformer with a number of its own, since suites run at the same time.
protocol UnreproducibleStage: Stage where Parameters == NoParameters {
  static var hidden: HiddenNumber { get }
}

extension UnreproducibleStage {
  static var name: String { "unreproducible" }
  static var version: Int { 1 }
  static var outputs: [OutputPort] { [OutputPort("number", "json")] }
  func run(in context: StageContext) throws {
    let number = Self.hidden.current
    context.recordDigest(step: 7, name: "number", digest: Digest(of: "\(number)"))
    try context.write("number", json: ["number": number])
  }

  /// One store for each number, in which the stages `unreproducible` of a pipeline gave that number.
  static func benches(_ text: String, results: [Int]) throws -> [Bench] {
    try results.map { result in
      hidden.set(result)
      let bench = try Bench()
      bench.registry = TestStages.registry(adding: StageKind(Self.self))
      try bench.run(text)
      return bench
    }
  }
}

/// Always throws, as a stage does that reads a bad picture.
struct Failing: Stage {
  static let name = "failing", version = 1
  static let outputs = [OutputPort("nothing", "json")]
  init(parameters: NoParameters) {}
  func run(in context: StageContext) throws {
    throw PipelineError(.badArtifact, "picture 7 is no JPEG")
  }
}

/// The folder `train` of a data set outside the store.
struct FolderSource: Source {
  static let name = "folder", version = 1, variable = "TEST_DATA", outputs = ["train"]
  static let summary = "needs a folder train/"
  init(parameters: NoParameters) {}
  func contents(of output: String) -> [String] { ["train"] }
  func selects(_ path: String, for output: String) -> Bool { !path.hasSuffix(".tmp") }
}

func save(_ text: String, to path: String) throws { try Data(text.utf8).write(to: URL(fileURLWithPath: path)) }

/// The registry of the stage kinds above.
enum TestStages {
  static func registry(numerics: String = "1", adding kinds: StageKind...) -> StageRegistry {
    StageRegistry(
      kinds: [
        StageKind(Train.self), StageKind(Candidates.self), StageKind(Evaluate.self), StageKind(Refine.self),
        StageKind(Gather.self), StageKind(Failing.self),
        StageKind(source: FolderSource.self), StageKind(Breed.self), StageKind(Halve.self), .command, .files,
      ] + kinds, traits: ["numerics": numerics])
  }
}

enum TestPipelines {
  /// Six instances: a training, an array of three genes, one evaluation of each, and their list.
  static let search = """
    pipeline: search
    seed: 7
    stages:
      pretrain:
        uses: train
      pool:
        uses: candidates
        with: { genes: [3, 1, 2] }
      judge:
        uses: evaluate
        for-each: pool.list
        needs: { architecture: each, weights: pretrain.weights }
      select:
        uses: gather
        needs: { qualities: judge.quality }
    """
}
