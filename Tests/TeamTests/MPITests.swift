import Determinism
import Foundation
import PipelineModel
import PipelineRunner
import Synchronization
import Testing

@testable import MessagePassing

/// Teams of real processes. Where Open MPI is not installed these tests are skipped; `make test-slurm` installs it.
@Suite(
  "The experiment on processes that MPI connects",
  .enabled(if: MPIExecutor.mpirun != nil, "mpirun is not installed (Debian: openmpi-bin)"), .serialized)
struct MPITests {
  private static func root(
    _ period: String = "window", _ executor: ((String) -> MPIExecutor)? = nil, checkpointInterval: Double = 20
  ) throws -> String? {
    let experiment = try Experiment(period: period)
    let result = try experiment.run(
      on: executor.map { make in { make($0) as any Executor } }, checkpointInterval: checkpointInterval)
    for failure in result.failures { Issue.record("\(failure)") }
    return result.root?.hex
  }

  @Test("gives the artifacts of one process", arguments: [("window", [1, 2, 3, 4]), ("per-layer", [2, 3])])
  func sameRoot(_ period: String, _ sizes: [Int]) throws {
    let expected = try #require(try MPITests.root(period))
    for size in sizes {
      #expect(try MPITests.root(period, { MPIExecutor(store: $0, members: [size]) }) == expected, "\(size) processes")
    }
  }

  /// What one attempt at the supernet's training suffers once its first checkpoint is there.
  enum Trouble: String, CaseIterable, Sendable {
    /// The kernel kills one process.
    case killed
    /// One process stands still.
    case stopped
    /// One process, not the leader, is asked to stop.
    case asked

    var signal: Int32 {
      switch self {
      case .killed: SIGKILL
      case .stopped: SIGSTOP
      case .asked: SIGTERM
      }
    }
  }

  @Test("a training that lost a process goes on with another number of them", arguments: Trouble.allCases)
  func trouble(_ trouble: Trouble) throws {
    let expected = try #require(try MPITests.root())
    let ends = Mutex<[(code: Int32, text: String)]>([])
    let found = try MPITests.root(
      "window",
      { store in
        var executor = MPIExecutor(store: store, members: [3, 2])
        executor.environment = ["AUTOPANOPTIC_SILENCE": "3"]
        executor.disturb = { order, attempt, processes in
          guard order.stage == "finetune", attempt == 0 else { return true }
          guard FileManager.default.fileExists(atPath: "\(store)/checkpoints/\(order.key.hex)/step-1.json") else {
            return false
          }
          kill(processes[1], trouble.signal)
          return true
        }
        executor.ended = { order, attempt, code, text in
          if order.stage == "finetune" { ends.withLock { $0.append((code, text)) } }
        }
        return executor
      }, checkpointInterval: 0)
    #expect(found == expected)
    let all = ends.withLock { $0 }
    #expect(all.count == 2 && all[0].code != 0, "\(all)")
    #expect(all.last?.text.contains("resum") == true, "\(all)")
    if trouble == .stopped { #expect(all[0].text.contains("nothing was heard of worker 2 of 3 for 3 s"), "\(all)") }
  }

  @Test("a library that is not there is one message")
  func noLibrary() throws {
    let experiment = try Experiment()
    let result = try experiment.run(
      ["split"],
      on: {
        var executor = MPIExecutor(store: $0, members: [2])
        executor.environment = ["AUTOPANOPTIC_MPI": "/nowhere/libmpi.so"]
        return executor
      })
    let text = result.failures.map { "\($0)" }.joined()
    #expect(text.contains("no MPI can be loaded (/nowhere/libmpi.so: cannot open shared object file"), "\(text)")
  }
}

@Suite("What launchers say")
struct LaunchTests {
  @Test("a process alone needs no MPI; several need it, and must be able to find each other")
  func needed() throws {
    #expect(try !Launch([:]).needsMPI)
    #expect(try !Launch(["PMIX_RANK": "0", "SLURM_STEP_NUM_TASKS": "1"]).needsMPI)
    #expect(try !Launch(["OMPI_COMM_WORLD_RANK": "0", "OMPI_COMM_WORLD_SIZE": "1"]).needsMPI)
    #expect(try Launch(["OMPI_COMM_WORLD_RANK": "1", "OMPI_COMM_WORLD_SIZE": "2"]).needsMPI)
    #expect(try Launch(["PMIX_RANK": "3", "SLURM_STEP_NUM_TASKS": "4"]).needsMPI)
    #expect(try Launch(["PMIX_RANK": "0"]).needsMPI)
    let error = #expect(throws: MessagePassingError.self) { try Launch(["SLURM_STEP_NUM_TASKS": "2"]).needsMPI }
    #expect(error?.description.contains("srun --mpi=pmix") == true)
  }

  @Test("MPICH's launcher asks for its own libraries")
  func libraries() {
    #expect(Launch(["PMI_RANK": "0", "PMI_SIZE": "2"]).libraries == ["libmpi.so.12", "libmpich.so.12"])
    #expect(Launch(["PMIX_RANK": "0"]).libraries.first == "libmpi.so.40")
  }

  @Test("the program needs no library of MPI to start")
  func notLinked() throws {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/ldd")
    process.arguments = [MPIExecutor.program]
    let pipe = Pipe()
    process.standardOutput = pipe
    try process.run()
    let text = String(decoding: try pipe.fileHandleForReading.readToEnd() ?? Data(), as: UTF8.self)
    process.waitUntilExit()
    #expect(text.contains("libc.so") && !text.contains("libmpi") && !text.contains("pmix"))
  }
}
