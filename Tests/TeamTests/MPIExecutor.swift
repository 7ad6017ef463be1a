import ArtifactStore
import Determinism
import Foundation
import PipelineModel
import PipelineRunner
import Stages
import Synchronization

@testable import Slurm

/// Executes orders as a cluster would: writes each into a wave, and starts the program as several processes of MPI. Of the
/// stages of an array only the first goes there, and sources and conversions stay here.
struct MPIExecutor: Executor {
  let capacity = 1
  let store: String
  /// Processes of the first attempt at each order, of the second, and so on.
  let members: [Int]
  var environment: [String: String] = [:]
  /// What happens to the processes of an attempt, by their ranks, while they run. Called again and again until it returns
  /// true.
  var disturb: @Sendable (_ order: WorkOrder, _ attempt: Int, _ processes: [pid_t]) -> Bool = { _, _, _ in true }
  /// Takes how each attempt ended: its exit code, and what it printed.
  var ended: @Sendable (_ order: WorkOrder, _ attempt: Int, _ code: Int32, _ text: String) -> Void = { _, _, _, _ in }
  private let interruption = Interruption()

  init(store: String, members: [Int]) {
    self.store = store
    self.members = members
  }

  static let mpirun: String? = ["/usr/bin/mpirun", "/usr/local/bin/mpirun"].first { (path: String) in
    access(path, X_OK) == 0
  }

  /// The built program: the build puts it beside the test bundle.
  static let program: String = {
    let bundle = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
    return bundle.deletingLastPathComponent().appendingPathComponent("autopanoptic").path
  }()

  func submit(_ order: WorkOrder, report: @escaping @Sendable (WorkEvent) -> Void) throws {
    try startThread(named: order.stage, stackBytes: deepStackBytes) { [self] in
      do {
        let outcome = try execute(order)
        report(.ended(.success(outcome)))
      } catch {
        report(.ended(.failure(error)))
      }
    }
  }

  func cancel() { interruption.request() }

  struct NoLetter: Error, CustomStringConvertible {
    let description: String
  }

  private static let stages = [
    "split", "pretrain", "finetune", "evaluate[0]", "pretrain-selected", "retrain", "predict",
  ]

  private func execute(_ order: WorkOrder) throws -> WorkOutcome {
    guard MPIExecutor.stages.contains(order.stage) else { return try executeHere(order) }
    for (attempt, count) in members.enumerated() {
      let wave = Wave(store: store, run: "test", number: attempt, elements: [[order]])
      try wave.write([[order]], script: "")
      let (code, text) = try start(count, order, attempt, wave)
      ended(order, attempt, code, text)
      let path = "\(wave.lettersFolder)/\(Letter.name(element: 0, place: 0, attempt: 0))"
      guard Files.exists(path), let letter = Letter(canonical: try CanonicalValue(json: try Files.read(path))) else {
        if attempt + 1 < members.count { continue }
        throw NoLetter(description: "\(order.stage): exit code \(code), no letter: \(text)")
      }
      switch letter.end {
      case .recorded(let seconds, _):
        let store = try Store(path: store, registry: Stages.registry())
        defer { store.endScratch() }
        return .executed(try store.outputs(of: order.key)!, seconds: seconds)
      case .compared: throw NoLetter(description: "\(order.stage): a comparison, which nobody asked for")
      case .failed(let message, _), .lost(let message): throw NoLetter(description: message)
      case .interrupted: continue
      }
    }
    throw NoLetter(description: "\(order.stage): no attempt came to an end")
  }

  private func executeHere(_ order: WorkOrder) throws -> WorkOutcome {
    let store = try Store(path: store, registry: Stages.registry())
    defer { store.endScratch() }
    let end = Mutex<Result<WorkOutcome, any Error>?>(nil)
    Worker(store: store).run(order) { event in if case .ended(let result) = event { end.withLock { $0 = result } } }
    return try end.withLock { $0! }.get()
  }

  private func start(_ count: Int, _ order: WorkOrder, _ attempt: Int, _ wave: Wave) throws -> (Int32, String) {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: MPIExecutor.mpirun!)
    process.arguments =
      ["--oversubscribe", "-n", "\(count)", MPIExecutor.program, "work", "--store", store, "--wave", wave.name]
      + ["--index", "0", "--threads", "1"]
    var variables = ProcessInfo.processInfo.environment
    variables.merge(
      [
        "OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1", "SWIFT_BACKTRACE": "enable=no",
        "OMPI_MCA_rmaps_base_oversubscribe": "1",
      ]
    ) { _, new in new }
    variables.merge(environment) { _, new in new }
    process.environment = variables
    let log = wave.logPath(0)
    try FileIO.publish([], to: log)
    let output = try FileHandle(forWritingTo: URL(fileURLWithPath: log))
    process.standardOutput = output
    process.standardError = output
    process.standardInput = FileHandle.nullDevice
    try process.run()
    var isDisturbed = false
    while process.isRunning {
      let ranks = MPIExecutor.children(of: process.processIdentifier)
      if !isDisturbed, ranks.count == count { isDisturbed = disturb(order, attempt, ranks) }
      usleep(5_000)
    }
    return (process.terminationStatus, try String(contentsOfFile: log, encoding: .utf8))
  }

  /// The processes that `mpirun` started, by their ranks.
  private static func children(of parent: pid_t) -> [pid_t] {
    let all = (try? FileManager.default.contentsOfDirectory(atPath: "/proc"))?.compactMap { pid_t($0) } ?? []
    return all.compactMap { process -> (rank: Int, process: pid_t)? in
      guard let stat = try? String(contentsOfFile: "/proc/\(process)/stat", encoding: .utf8),
        let fields = stat.components(separatedBy: ") ").last?.split(separator: " "), fields.count > 1,
        pid_t(fields[1]) == parent,
        let environment = try? String(contentsOfFile: "/proc/\(process)/environ", encoding: .utf8),
        let rank = environment.components(separatedBy: "\0").first(where: { $0.hasPrefix("OMPI_COMM_WORLD_RANK=") })
      else { return nil }
      return Int(rank.dropFirst("OMPI_COMM_WORLD_RANK=".count)).map { ($0, process) }
    }.sorted { $0.rank < $1.rank }.map(\.process)
  }
}
