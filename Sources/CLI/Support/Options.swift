import ArgumentParser
import Determinism
import Foundation
import PipelineFiles
import Pipelines
import Stages
import Tensors

/// What every command that computes takes.
struct MachineOptions: ParsableArguments {
  /// More than any machine has; a typing error would otherwise start that many threads.
  private static let mostThreads = 4096

  @Option(help: "Threads of all stages together (default: AUTOPANOPTIC_THREADS, else all processors).")
  var threads: Int?

  func validate() throws {
    if let threads, !(1...MachineOptions.mostThreads).contains(threads) {
      throw ValidationError("--threads \(threads): expected 1 to \(MachineOptions.mostThreads)")
    }
  }

  /// Sets up threads and instruction set.
  /// - Returns: the number of threads.
  @discardableResult
  func apply() throws -> Int {
    let environment = ProcessInfo.processInfo.environment
    do {
      _ = try Backend.resolve(environment: environment)
    } catch {
      throw ValidationError("\(error)")
    }
    var count = threads
    if count == nil, let text = environment["AUTOPANOPTIC_THREADS"], !text.isEmpty {
      guard let number = Int(text), (1...MachineOptions.mostThreads).contains(number) else {
        throw ValidationError(
          "AUTOPANOPTIC_THREADS=\(text.clipped(to: 100)): expected a whole number from 1 to \(MachineOptions.mostThreads)"
        )
      }
      count = number
    }
    let threads = count ?? ProcessInfo.processInfo.activeProcessorCount
    Parallel.configure(threads: threads)
    return threads
  }
}

extension Engine: ExpressibleByArgument {}

struct StoreOptions: ParsableArguments {
  @Option(help: ArgumentHelp("Where artifacts and records are.", valueName: "dir"), completion: .directory)
  var store = "artifacts"

  /// For commands that change the store.
  func open(_ registry: StageRegistry = Stages.registry()) throws -> Store {
    try Store(path: store, registry: registry)
  }

  /// For commands that only read: a missing store is not created.
  func observe(_ registry: StageRegistry = Stages.registry()) throws -> Store {
    try Store(observing: store, registry: registry)
  }

  /// For commands that have nothing to say where there is no store.
  func openExisting(_ registry: StageRegistry = Stages.registry()) throws -> Store {
    try StoreOptions.openExisting(store, registry)
  }

  static func openExisting(_ path: String, _ registry: StageRegistry = Stages.registry()) throws -> Store {
    let store = try Store(observing: path, registry: registry)
    guard store.exists else {
      throw PipelineError(.missingStore, "\(store.path): no store here; choose one with --store, or run a pipeline")
    }
    return store
  }
}

/// What every command on a pipeline takes.
struct PipelineOptions: ParsableArguments {
  @Option(help: "The profile whose overrides apply (default: the one the file names).", completion: .profiles)
  var profile: String?

  @Option(
    help: "Where paper and published code disagree: recommended, published-code or paper (default: the file's).")
  var fidelity: String?

  @Option(help: "The seed of the pipeline (default: the file's).")
  var seed: UInt64?

  @Option(
    name: .customLong("set"), parsing: .singleValue,
    help: ArgumentHelp(
      "Override a parameter (stage.parameter=value), a shared value (let.name=value) or a variable (COCO=/path). "
        + "A mapping, as {updates: 50, batch: 2}, changes what it names and leaves the rest. Repeatable.",
      valueName: "name=value"))
  var settings: [String] = []

  @Option(
    help: ArgumentHelp(
      "What computes products: portable (the same bits everywhere) or openblas (a check; cached apart).",
      valueName: "name"))
  var engine = Engine.portable

  @OptionGroup var stores: StoreOptions

  /// All that pipelines are made of, as the chosen engine computes it: keys of stages name the engine.
  func registry() throws -> StageRegistry {
    do { try Engine.use(engine) } catch { throw ValidationError("\(error)") }
    return Stages.registry(engine: engine)
  }

  /// Reads and checks the pipeline.
  func load(_ path: String) throws -> Pipeline { try load(path, registry()) }

  private func load(_ path: String, _ registry: StageRegistry) throws -> Pipeline {
    try Pipeline(description(of: PipelineFile(path: path)), registry: registry)
  }

  /// The pipeline as these options make it.
  func description(of file: PipelineFile) throws -> PipelineDescription {
    try file.description(profile: profile, fidelity: fidelity, seed: seed, settings: try parsedSettings())
  }

  /// For commands that may do without a pipeline: what says which pipeline is meant would have no effect.
  /// - Parameters:
  ///   - subject: what the command was given instead.
  ///   - executes: whether it executes stages all the same, so that the engine and the places of data sets matter.
  func requireNone(_ subject: String, executes: Bool = false) throws {
    var given = try arguments()
    if executes, let i = given.firstIndex(of: "--engine") { given.removeSubrange(i...i + 1) }
    guard given.isEmpty, executes || settings.isEmpty else {
      let option = given.first ?? "--set"
      throw ValidationError("\(option) says how a pipeline is meant, but \(subject)")
    }
  }

  /// The root that the file expects of a whole run with these options.
  func expectedRoot(_ path: String) throws -> (root: String, location: SourceLocation)? {
    let isAsPublished = try parsedSettings().allSatisfy { if case .variable = $0 { true } else { false } }
    guard isAsPublished, fidelity == nil || fidelity == "recommended", engine == .portable else { return nil }
    return try PipelineFile(path: path).expectedRoot(profile: profile, seed: seed)
  }

  /// Variables that sources read: the environment, then `--set`.
  /// - Parameter pipeline: whose stages may name variables of their own.
  func variables(of pipeline: Pipeline? = nil) throws -> [String: String] {
    try Variables.all(settings, and: pipeline?.sourceVariables ?? [])
  }

  /// The options that say which pipeline is meant, as the command line gives them.
  func arguments() throws -> [String] {
    var arguments = [String]()
    if let profile { arguments += ["--profile", profile] }
    if let fidelity { arguments += ["--fidelity", fidelity] }
    if let seed { arguments += ["--seed", String(seed)] }
    if engine != .portable { arguments += ["--engine", engine.rawValue] }
    for text in settings {
      // Where data lies is another place elsewhere.
      if case .variable = try Setting(parsing: text) { continue }
      arguments += ["--set", text]
    }
    return arguments
  }

  private func parsedSettings() throws -> [Setting] { try settings.map { try Setting(parsing: $0) } }

  /// - Parameter observing: whether the command only reads the store.
  func planner(_ path: String, display: Display, observing: Bool = false) throws -> Planner {
    let registry = try registry()
    let pipeline = try load(path, registry)
    return Planner(
      pipeline: pipeline, store: try observing ? stores.observe(registry) : stores.open(registry),
      variables: try variables(of: pipeline), interruption: Signals.interruption
    ) { stage, done, total, detail in
      display.show(.hashing(stage: stage, done: done, of: total, detail: detail))
    }
  }
}

/// Variables with the folders of sources.
enum Variables {
  /// The environment, overridden by the variables among `name=value` settings.
  /// - Parameter more: names beside those of the data sets.
  static func all(_ settings: [String], and more: [String] = []) throws -> [String: String] {
    var variables = ProcessInfo.processInfo.environment
    for case .variable(let name, let value) in try settings.map({ try Setting(parsing: $0) }) {
      let known = Set(Stages.sourceVariables + more)
      guard known.contains(where: { $0.hasSameBytes(as: name) }) else {
        let names = known.sortedByBytes().joined(separator: ", ")
        throw ValidationError(
          "--set \("\(name)=\(value)".clipped(to: 200)): expected stage.parameter=value; variables are: \(names)")
      }
      variables[name] = value
    }
    return variables
  }
}

/// Whether commands run in a sandbox.
struct SandboxOptions: ParsableArguments {
  @Option(help: "Confine commands with bubblewrap: automatic (where it works), required or off.")
  var sandbox = SandboxPolicy.automatic

  @Option(
    parsing: .singleValue,
    help: ArgumentHelp(
      "Let this stage run without the sandbox, as the pipeline file asks for. Repeatable.", valueName: "stage"))
  var unconfined: [String] = []

  func apply(to options: inout RunOptions) {
    options.sandbox = sandbox
    options.unconfined = Set(unconfined)
  }
}

struct WorkOptions: ParsableArguments {
  private static let mostJobs = 4096

  @Option(help: "Independent stages and instances side by side at most (default: as many as threads, at most 8).")
  var jobs: Int?

  @Option(
    help: ArgumentHelp(
      "Memory that stages side by side may take by their estimates, in bytes or as 16G (default: 80 % of the machine's or "
        + "the control group's). A stage that takes more runs alone.", valueName: "size"))
  var memory: MemorySize?

  @OptionGroup var confinement: SandboxOptions
  @OptionGroup var machine: MachineOptions

  func validate() throws {
    if let jobs, !(1...WorkOptions.mostJobs).contains(jobs) {
      throw ValidationError("--jobs \(jobs): expected 1 to \(WorkOptions.mostJobs)")
    }
  }

  func runOptions() throws -> RunOptions {
    var options = try machine.runOptions()
    options.jobs = jobs ?? min(8, options.threads)
    options.memory = memory?.bytes ?? SystemMemory.physical / 5 * 4
    confinement.apply(to: &options)
    return options
  }
}

extension MachineOptions {
  /// For one stage after the other.
  func runOptions() throws -> RunOptions {
    var options = RunOptions()
    options.threads = try apply()
    let variable = "AUTOPANOPTIC_CHECKPOINT_INTERVAL"
    if let text = ProcessInfo.processInfo.environment[variable], !text.isEmpty {
      guard let seconds = Double(text), (0...1e9).contains(seconds) else {
        throw ValidationError("\(variable)=\(text.clipped(to: 100)): expected seconds, 0 to 1000000000")
      }
      options.checkpointInterval = seconds
    }
    let facts: [String: CanonicalValue] = [
      "program": .string(Version.text), "host": .string(ProcessInfo.processInfo.hostName),
      "system": .string(ProcessInfo.processInfo.operatingSystemVersionString),
      "instruction-set": .string(Backend.instructionSet.rawValue), "threads": .integer(options.threads),
    ]
    options.environment = .object(facts.merging(ProgramFacts.device) { $1 })
    return options
  }
}

extension SandboxPolicy: ExpressibleByArgument {}

/// Ctrl-C and SIGTERM ask the stages to stop; a second one ends the process at once.
enum Signals {
  static let interruption = Interruption()

  private static func isIgnored(_ number: Int32) -> Bool {
    var action = sigaction()
    sigaction(number, nil, &action)
    return unsafeBitCast(action.__sigaction_handler.sa_handler, to: Int.self) == 1  // SIG_IGN
  }

  /// For commands that only look: nothing is printed, and the exit code says so.
  static func endIfRequested() throws {
    if interruption.isRequested { throw StageInterrupted() }
  }

  static func install() {
    _ = interruption.isRequested  // The handler must not be the first to touch it.
    // Who started the program may have had them blocked.
    var wanted = sigset_t()
    sigemptyset(&wanted)
    for number in [SIGINT, SIGTERM, SIGHUP] { sigaddset(&wanted, number) }
    pthread_sigmask(SIG_UNBLOCK, &wanted, nil)
    for number in [SIGINT, SIGTERM, SIGHUP] {
      // Who started it by nohup wants it to outlive the terminal.
      if number == SIGHUP, isIgnored(number) { continue }
      signal(number) { _ in
        if Signals.interruption.request() { _exit(ExitCodes.interrupted) }
        let note: StaticString = "\nstopping: stages save their state (once more to stop at once)\n"
        _ = write(2, note.utf8Start, note.utf8CodeUnitCount)
      }
    }
  }
}
