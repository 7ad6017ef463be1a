import Determinism
import Foundation
import PipelineFiles
import Synchronization
import Testing

@testable import ArtifactStore
@testable import PipelineModel
@testable import PipelineRunner
@testable import Provenance

/// Draws numbers for some steps and adds them up; saves a checkpoint every other step.
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
      if step == parameters.stopAtStep, TestControls.requestsStop.load(ordering: .relaxed) {
        context.interruption.request()
      }
      try context.checkCancelled()
    }
    try context.write("weights", json: ["sum": String(sum), "rate": "\(parameters.optimizer.rate)"])
  }
}

/// What tests change from outside so that stages misbehave.
enum TestControls {
  static let requestsStop = Atomic<Bool>(false)
  /// What `Unstable` writes.
  static let unstableValue = Atomic<Int>(0)
  /// What `SecondUnstable` writes.
  static let secondUnstableValue = Atomic<Int>(0)
}

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

struct Refine: Stage {
  static let name = "refine", version = 1
  static let inputs = [InputPort("quality", "json"), InputPort("architecture", "json")]
  static let outputs = [OutputPort("refined", "json")]
  init(parameters: NoParameters) {}
  func run(in context: StageContext) throws {
    try context.write("refined", json: [try context.input("quality").json(), try context.input("architecture").json()])
  }
}

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

/// Proposes the next genes: those after the best so far, two of them, and none once the best is above ten.
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

/// Halves a number, rounding down: reaches a fixed point.
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

/// Not a function of its inputs: what `rerun` is there to find.
struct Unstable: Stage {
  static let name = "unstable", version = 1
  static let outputs = [OutputPort("value", "json")]
  init(parameters: NoParameters) {}
  func run(in context: StageContext) throws {
    context.recordDigest(
      step: 7, name: "value", digest: Digest(of: "\(TestControls.unstableValue.load(ordering: .relaxed))"))
    try context.write("value", json: ["value": TestControls.unstableValue.load(ordering: .relaxed)])
  }
}

/// As `Unstable`, for another suite: suites run side by side.
struct SecondUnstable: Stage {
  static let name = "second-unstable", version = 1
  static let outputs = [OutputPort("value", "json")]
  init(parameters: NoParameters) {}
  func run(in context: StageContext) throws {
    let value = TestControls.secondUnstableValue.load(ordering: .relaxed)
    context.recordDigest(step: 7, name: "value", digest: Digest(of: "\(value)"))
    try context.write("value", json: ["value": value])
  }
}

struct Failing: Stage {
  static let name = "failing", version = 1
  static let outputs = [OutputPort("nothing", "json")]
  init(parameters: NoParameters) {}
  func run(in context: StageContext) throws {
    throw PipelineError(.badArtifact, "picture 7 is no JPEG")
  }
}

struct FolderSource: Source {
  static let name = "folder", version = 1, variable = "TOY", outputs = ["train"]
  static let summary = "needs a folder train/"
  init(parameters: NoParameters) {}
  func contents(of output: String) -> [String] { ["train"] }
  func selects(_ path: String, for output: String) -> Bool { !path.hasSuffix(".tmp") }
}

func save(_ text: String, to path: String) throws { try Data(text.utf8).write(to: URL(fileURLWithPath: path)) }

enum Toys {
  static func registry(numerics: String = "1") -> StageRegistry {
    StageRegistry(
      kinds: [
        StageKind(Train.self), StageKind(Candidates.self), StageKind(Evaluate.self), StageKind(Refine.self),
        StageKind(Gather.self), StageKind(Unstable.self), StageKind(SecondUnstable.self), StageKind(Failing.self),
        StageKind(source: FolderSource.self), StageKind(Breed.self), StageKind(Halve.self), .command, .files,
      ], traits: ["numerics": numerics])
  }

  static let search = """
    pipeline: toy
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

/// What observers on several threads noted.
final class Recorder: Sendable {
  private let list = Mutex<[String]>([])
  var notes: [String] { list.withLock { $0 } }
  func note(_ text: String) { list.withLock { $0.append(text) } }
}

/// A store in a folder of its own, removed at the end.
final class Bench {
  let folder: String
  var variables: [String: String] = [:]
  var registry = Toys.registry()
  var sandbox = SandboxPolicy.off

  init() throws {
    // Syncing to memory takes no time, and what is tested here does not depend on the disk.
    let parent = access("/dev/shm", W_OK) == 0 ? "/dev/shm/" : NSTemporaryDirectory()
    folder = parent + "pipelines-\(UInt64.random(in: 0 ... .max))"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(atPath: folder) }

  var storePath: String { folder + "/store" }

  func planner(
    _ text: String, file: String = "toy.yaml", profile: String? = nil, seed: UInt64? = nil, settings: [String] = [],
    interruption: Interruption = Interruption(), making: Bool = true
  ) throws -> Planner {
    let description = try PipelineFile(text: text, path: file)
      .description(profile: profile, seed: seed, settings: settings.map { try Setting(parsing: $0) })
    return Planner(
      pipeline: try Pipeline(description, registry: registry),
      store: try making
        ? Store(path: storePath, registry: registry) : Store(observing: storePath, registry: registry),
      variables: variables, interruption: interruption)
  }

  /// Runs a pipeline and says which instances were executed, in the order of their names.
  @discardableResult
  func run(
    _ text: String, file: String = "toy.yaml", profile: String? = nil, seed: UInt64? = nil, settings: [String] = [],
    stages: [String] = [], jobs: Int = 1, keepGoing: Bool = false
  ) throws -> (result: RunResult, executed: [String]) {
    var options = options
    options.jobs = jobs
    options.keepGoing = keepGoing
    let events = Mutex<[String]>([])
    let planner = try planner(text, file: file, profile: profile, seed: seed, settings: settings)
    let runner = Runner(planner: planner, options: options) { event in
      if case .started(let stage, _, _) = event { events.withLock { $0.append(stage) } }
    }
    let result = try runner.run(stages: stages)
    return (result, events.withLock { $0.sorted() })
  }

  var options: RunOptions {
    var options = RunOptions()
    options.sandbox = sandbox
    return options
  }

  func store() throws -> Store { try Store(path: storePath, registry: registry) }

  func audit(deep: Bool = false) throws -> AuditReport { try Auditor(store: try store(), deep: deep).audit() }

  /// All files below the store, by relative path.
  func files(_ part: String) throws -> [String] {
    try Files.walk(storePath, below: part)
  }
}
