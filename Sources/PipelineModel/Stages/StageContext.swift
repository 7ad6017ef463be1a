import Determinism
import Synchronization

/// Everything that a running stage sees. Methods may be called from any thread.
public final class StageContext: Sendable {
  /// The stage's random streams; a kind that draws none must not use them.
  public let seeds: Seeds
  /// Threads that loops of `Parallel` started from the stage's thread use.
  public let threads: Int
  /// Seconds between checkpoints, where the user says so; nil leaves it to `CheckpointPolicy`. When one is saved must
  /// change no result.
  public let checkpointInterval: Double?
  /// The processes that execute the stage together; one alone unless its kind `usesTeam`.
  ///
  /// All of them run the stage. Outputs, checkpoints, logs and progress are those of the leader: what the others write is
  /// dropped.
  public let team: any Team

  package let inputArtifacts: [String: [InputArtifact]]
  package let kind: StageKind
  package let scratch: String
  package let interruption: Interruption
  package let checkpoints: (any CheckpointStorage)?
  package let details: Details
  package let report: @Sendable (StageReport) -> Void

  /// What stages need to know of their execution that start programs.
  package struct Details: Sendable {
    package var stageName: String
    package var seed: UInt64
    package var storePath: String
    /// The file to which what a program prints is added; nil where nobody keeps it.
    package var log: String?
    package var sandbox: SandboxPolicy
    /// The programs that were identified for the key, and the environment.
    package var tools: ToolIdentity
    package var rules: ExecutionRules
    /// Where the folder of a command that fails is kept; nil where nobody wants it.
    package var keptFolder: String?
    /// Whether the stage asks for graphics processors.
    package var usesGraphicsProcessors = false
    /// A folder that outlives an interruption, for a stage that resumes; nil where nothing is kept.
    package var checkpointFolder: String?
    /// Endings of files, by the kind of artifact.
    package var fileExtensions: [String: String]

    package init(
      stageName: String, seed: UInt64, storePath: String, log: String? = nil, sandbox: SandboxPolicy,
      tools: ToolIdentity, rules: ExecutionRules = ExecutionRules(), checkpointFolder: String? = nil,
      fileExtensions: [String: String]
    ) {
      self.stageName = stageName
      self.seed = seed
      self.storePath = storePath
      self.log = log
      self.sandbox = sandbox
      self.tools = tools
      self.rules = rules
      self.checkpointFolder = checkpointFolder
      self.fileExtensions = fileExtensions
    }
  }

  private let state: Mutex<State>

  package struct State {
    package var written: [String: WrittenFile] = [:]
    package var trace: Trace
    package var facts: [String: CanonicalValue] = [:]
  }

  /// An output as the stage left it.
  package struct WrittenFile: Sendable {
    package let path: String
    /// Of a stage that knows what it wrote.
    package var digest: (@Sendable () throws -> Digest)?

    package init(path: String, digest: (@Sendable () throws -> Digest)? = nil) {
      self.path = path
      self.digest = digest
    }
  }

  /// What a stage tells the runner while it works.
  package enum StageReport: Sendable {
    case progress(step: Int, of: Int, unit: String, detail: String)
    /// The last line that its program printed.
    case printed(String)
    case measured(step: Int, unit: String, values: [(name: String, value: Double)])
    case checkpoint(step: Int, of: Int)
    case resumed(step: Int)
    case log(String)
    case notice(String)
  }

  package init(
    kind: StageKind, seed: UInt64, threads: Int, inputs: [String: [InputArtifact]], scratch: String,
    checkpoints: (any CheckpointStorage)?, checkpointInterval: Double?, interruption: Interruption,
    details: Details, team: any Team = SoloTeam(), report: @escaping @Sendable (StageReport) -> Void
  ) {
    self.kind = kind
    self.seeds = Seeds(kind: kind.streamName, seed: seed)
    self.threads = threads
    self.checkpointInterval = checkpointInterval
    self.inputArtifacts = inputs
    self.scratch = scratch
    self.checkpoints = checkpoints
    self.interruption = interruption
    self.details = details
    self.team = team
    self.report = report
    self.state = Mutex(State(trace: Trace()))
  }

  /// The artifact of a required input.
  public func input(_ name: String) -> InputArtifact {
    guard let artifact = optionalInput(name) else { preconditionFailure("\(kind.name): no input '\(name)'") }
    return artifact
  }

  /// The artifact of an optional input, nil where the pipeline gives none.
  public func optionalInput(_ name: String) -> InputArtifact? {
    let port = kind.inputs.first { $0.name == name }
    precondition(port?.isList == false, "\(kind.name): '\(name)' is not declared as a single input")
    return inputArtifacts[name]?.first
  }

  /// The artifacts of a list input, in the order of the instances they come from.
  public func inputs(_ name: String) -> [InputArtifact] {
    let port = kind.inputs.first { $0.name == name }
    precondition(port?.isList == true, "\(kind.name): '\(name)' is not declared as a list input")
    return inputArtifacts[name] ?? []
  }

  /// Writes an output. `body` gets a path: of a tree an empty folder to fill, else of a file to create. It is called by
  /// the leader of a team alone.
  ///
  /// The artifact appears in the store when the stage returns without an error, and not before.
  /// - Parameter digest: the logical digest of what is written, where the stage can tell it from what it holds in
  ///   memory; else the file is read back. It is computed while the file's bytes are hashed.
  public func write(
    _ output: String, digest: (@Sendable () throws -> Digest)? = nil, _ body: (_ path: String) throws -> Void
  ) throws {
    guard let port = kind.outputs.first(where: { $0.name == output }) else {
      preconditionFailure("\(kind.name): '\(output)' is not declared as an output")
    }
    guard team.isLeader else { return }
    let path = "\(scratch)/out.\(output)"
    let isTree = port.kind == TreeFormat.name
    try Files.remove(path)
    if isTree { try Files.makeFolder(path + "/" + TreeFormat.filesName) }
    try body(isTree ? path + "/" + TreeFormat.filesName : path)
    guard Files.exists(path) else {
      throw PipelineError(.badStage, "stage kind \(kind.name) wrote no file for its output '\(output)'")
    }
    state.withLock { $0.written[output] = WrittenFile(path: path, digest: isTree ? nil : digest) }
  }

  /// Writes a `json` output in canonical form.
  public func write(_ output: String, json value: some Encodable) throws {
    guard team.isLeader else { return }
    let canonical = try CanonicalValue(encoding: value)
    let bytes = canonical.canonicalBytes
    guard bytes.count <= JSONFormat.sizeLimit else {
      throw PipelineError(
        .badStage,
        "stage kind \(kind.name): its output '\(output)' has \(bytes.count) bytes; a value of kind 'json' has "
          + "\(JSONFormat.sizeLimit >> 20) MiB at most")
    }
    try write(output, digest: { Digest(of: bytes) }) { try Files.write(bytes, to: $0) }
  }

  /// Reports progress, such as step 20 of 600 `images`; `detail` is short, such as `loss 1.234`.
  public func progress(step: Int, of total: Int, unit: String = "steps", detail: String = "") {
    tell(.progress(step: step, of: total, unit: unit, detail: detail))
  }

  /// The last line that the stage's program printed, for whoever looks on.
  package func printed(_ line: String) { tell(.printed(line)) }

  /// Reports numbers at a step, for whoever looks on while the stage runs: curves of what is running are made of them. What
  /// is to be kept goes into an output.
  public func measured(step: Int, unit: String = "steps", _ values: [(name: String, value: Double)]) {
    tell(.measured(step: step, unit: unit, values: values))
  }

  private func tell(_ news: StageReport) { if team.isLeader { report(news) } }

  /// True once the user has asked to stop: save a checkpoint and throw `StageInterrupted`.
  public var isCancelled: Bool { interruption.isRequested }

  /// - Throws: `StageInterrupted` once the user asked to stop.
  public func checkCancelled() throws {
    if isCancelled { throw StageInterrupted() }
  }

  /// Whether the user asked any member of the team to stop; all members call it in one order, and get one answer.
  public func shouldStop() throws -> Bool {
    let stops = try team.agree(any: isCancelled)
    if stops { interruption.request() }
    return stops
  }

  /// The newest sound checkpoint of this very stage and key; nil on a fresh start.
  /// - Parameter accepts: reads a checkpoint, and says whether it holds what it should; where not, an earlier one is
  ///   tried.
  public func latestCheckpoint(where accepts: (Checkpoint) -> Bool = { _ in true }) throws -> Checkpoint? {
    guard team.isLeader else { return try checkpointOfLeader(where: accepts) }
    let found = try checkpoints?.latest(where: accepts)
    _ = try team.broadcast(found.map { try CheckpointNotice($0.0).bytes } ?? [])
    guard let (checkpoint, trace) = found else { return nil }
    state.withLock { $0.trace = trace }
    report(.resumed(step: checkpoint.step))
    return checkpoint
  }

  /// The checkpoint that the leader of the team uses.
  private func checkpointOfLeader(where accepts: (Checkpoint) -> Bool) throws -> Checkpoint? {
    let bytes = try team.broadcast([])
    guard !bytes.isEmpty else { return nil }
    let checkpoint = try CheckpointNotice(bytes: bytes).verified()
    guard accepts(checkpoint) else {
      throw PipelineError(.damaged, "\(checkpoint.path): not usable here, but where the team's leader runs")
    }
    return checkpoint
  }

  /// Keeps partial state. `write` creates the file at the path it gets; what it held is verified on resume.
  ///
  /// Of a stage that resumes, the outputs must equal those of one that ran through.
  public func saveCheckpoint(step: Int, of total: Int, _ write: (_ path: String) throws -> Void) throws {
    guard let checkpoints, team.isLeader else { return }
    try checkpoints.save(step: step, of: total, trace: state.withLock { $0.trace }, write)
    report(.checkpoint(step: step, of: total))
  }

  /// Notes the digest of a tensor at a step, for the record: what two executions are compared by.
  public func recordDigest(step: Int, name: String, digest: Digest) {
    state.withLock { $0.trace.note(step: step, name: name, digest: digest) }
  }

  /// A line for the stage's log in the run's folder.
  public func log(_ message: String) { tell(.log(message)) }

  /// The same for something that the user is to see, such as a picture that is left out.
  public func notice(_ message: String) { tell(.notice(message)) }

  /// Notes something about the execution for the record's environment.
  package func note(_ fact: String, _ value: CanonicalValue) { state.withLock { $0.facts[fact] = value } }

  /// What was noted so.
  package var facts: [String: CanonicalValue] { state.withLock { $0.facts } }

  /// What the stage left, once it returned.
  package func finish() throws -> (files: [String: WrittenFile], trace: Trace) {
    let (written, trace) = state.withLock { ($0.written, $0.trace) }
    for port in kind.outputs where team.isLeader && written[port.name] == nil {
      throw PipelineError(.badStage, "stage kind \(kind.name) did not write its output '\(port.name)'")
    }
    return (written, trace)
  }
}
