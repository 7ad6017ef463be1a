import ArgumentParser
import ArtifactStore
import Determinism
import Foundation
import MessagePassing
import Pipelines
import Slurm
import Stages

/// What a job of a cluster starts; not for people.
struct Work: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "work", abstract: "Execute one element of a wave of work orders, as a job of a cluster.",
    discussion: """
      A runner with '--executor slurm' submits jobs that run this command. It reads the orders of its element from the
      store, executes them one after the other, and leaves a letter in the store for each.

      SIGUSR1 asks it to save a checkpoint and to queue its job again; SIGTERM to save one and end.
      """,
    shouldDisplay: false)

  @Option(help: ArgumentHelp("The store.", valueName: "dir"), completion: .directory)
  var store: String

  @Option(help: "The name of the wave.")
  var wave: String

  @Option(help: "The element of the wave (default: SLURM_ARRAY_TASK_ID).")
  var index: Int?

  @Option(help: ArgumentHelp("The build that this program must be.", valueName: "digest"))
  var program: String?

  @OptionGroup var machine: MachineOptions
  @OptionGroup var device: DeviceOptions

  func validate() throws {
    if !Wave.isName(wave) { throw ValidationError("--wave \(wave.clipped(to: 100)): expected 16 hexadecimal digits") }
  }

  func run() throws {
    JobSignals.install()
    let environment = ProcessInfo.processInfo.environment
    if let program, program != ProgramIdentity.digest.hex {
      throw PipelineError(
        .notRestorable,
        "this program is another build (\(ProgramIdentity.digest.short)) than the one that the runner has submitted "
          + "(\(program.prefix(12))); install that one on this node, or run again with this one")
    }
    guard let index = index ?? environment["SLURM_ARRAY_TASK_ID"].flatMap({ Int($0) }) else {
      throw ValidationError("expected --index, or SLURM_ARRAY_TASK_ID in the environment")
    }
    var machine = machine
    machine.threads = machine.threads ?? environment["SLURM_CPUS_PER_TASK"].flatMap { Int($0) }
    try device.apply()
    let options = try machine.runOptions()
    // Several processes that were started together execute the element as one.
    let team = try MPITeam.join(environment) { Output.error("error: \($0)") }
    defer { team?.leave() }
    do {
      try work(index, team: team ?? SoloTeam(), options, environment)
    } catch {
      // The others must not wait for this process.
      if !(error is ExitCode) { team?.fail(with: error) }
      throw error
    }
  }

  private func work(_ index: Int, team: any Team, _ options: RunOptions, _ environment: [String: String]) throws {
    let store = try Store(workerAt: store, registry: Stages.registry())
    let guarded = try StoreLock.shared(store)
    defer {
      store.endScratch()
      withExtendedLifetime(guarded) {}
    }
    let place = WaveWorker.Place(
      index: index, attempt: environment["SLURM_RESTART_COUNT"].flatMap { Int($0) } ?? 0,
      node: environment["SLURMD_NODENAME"] ?? ProcessInfo.processInfo.hostName)
    let log = JobLog()
    let worker = Worker(
      store: store, searchPath: environment["PATH"], interruption: JobSignals.interruption, team: team)
    var facts = options.environment.objectValue ?? [:]
    facts["job"] = SlurmJob(environment: environment).map { .string($0.id) }
    let end = try WaveWorker(
      wave: Wave(store: store.path, name: wave), place: place, worker: worker, threads: options.threads,
      environment: facts
    ) { log.note($0) }.run()
    switch end {
    case .done: return
    case .failed: throw ExitCode(ExitCodes.failure)
    case .interrupted(let advanced):
      // Whoever did nothing in his time would only do the same again.
      if JobSignals.wantsRequeue, advanced, let job = SlurmJob(environment: environment) { try job.requeue() }
      throw ExitCode(ExitCodes.interrupted)
    }
  }
}

/// The log of a job: a line for what happens, and for progress now and then.
private final class JobLog: Sendable {
  private let display = Display(json: false)

  func note(_ event: RunEvent) {
    if case .log(let stage, let text) = event {
      Output.error("\(stage): \(text)")
    } else {
      display.show(event)
    }
  }
}
