import ArgumentParser
import Determinism
import Foundation
import Pipelines

struct Rerun: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Execute cached stages again and compare.",
    discussion: """
      Says 'reproduced', or names the first difference and exits with 2. Neither records nor artifacts change.

      EXAMPLES:
        autopanoptic rerun pipelines/coco.yaml finetune
        autopanoptic rerun pipelines/coco.yaml 'evaluate[3]' --threads 1
      """)

  @Argument(help: "The pipeline file.", completion: .pipelines)
  var pipeline: String

  @Argument(help: "Stages, or single instances such as evaluate[3].", completion: .stages)
  var stages: [String]

  @OptionGroup var options: PipelineOptions
  @OptionGroup var work: WorkOptions
  @OptionGroup var execution: ExecutionOptions
  @OptionGroup var device: DeviceOptions

  @Flag(help: "Print JSON.")
  var json = false

  func run() throws {
    try device.apply(isLocal: execution.isLocal)
    let runOptions = try work.runOptions()
    Signals.install()
    let display = Display(json: false)
    let planner = try options.planner(pipeline, display: display)
    let executor = try execution.executor(for: planner.store, pipeline: pipeline, jobs: work.jobs, display: display)
    let report = try Rerunner(planner: planner, options: runOptions, executor: executor) { display.show($0) }
      .rerun(stages)
    if json {
      Output.json(report.canonical)
    } else {
      for instance in report.instances { Rerun.print(instance) }
    }
    if !report.isReproduced { throw ExitCode(ExitCodes.difference) }
  }

  static func print(_ instance: RerunReport.InstanceReport) {
    guard !instance.isReproduced else {
      let digests = instance.outputs.sorted { $0.key.precedesInBytes($1.key) }.map {
        "\($0.key) \($0.value.digest.short)"
      }
      Output.line("\(instance.name): reproduced (\(digests.joined(separator: ", ")))")
      return
    }
    Output.line("\(instance.name): differs")
    for line in instance.differences { Output.line("  \(line)") }
  }
}

struct Audit: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Verify every artifact and every record of the store.",
    discussion: """
      Hashes all objects, reads all records, and follows what made what. Exits with 2 if anything is missing, corrupt
      or contradictory; what a crash leaves behind is reported as orphaned and is sound. With --recompute, a random
      sample of stages is executed again in a scratch folder, from their records, and compared: nothing in the store
      changes, so it may be read-only. With --trust, says who signed
      what, and an artifact without a trusted signature is a finding too.

      EXAMPLES:
        autopanoptic audit
        autopanoptic audit pipelines/coco.yaml --deep --json
        autopanoptic audit --recompute 3 --sample 7
        autopanoptic audit pipelines/coco.yaml 'evaluate[3]'
        autopanoptic audit --trust trusted.pem
      """)

  @Argument(
    help: "Audit only what this pipeline depends on (default: the whole store).", completion: .pipelines)
  var pipeline: String?

  @Argument(help: "Audit only what these stages, or instances such as evaluate[3], depend on.")
  var stages: [String] = []

  @Option(help: ArgumentHelp("Public keys that are trusted: what 'keygen' wrote to .pub files.", valueName: "file"))
  var trust: String?

  @Flag(help: "Recompute the digest of every artifact's content too.")
  var deep = false

  @Option(help: ArgumentHelp("Execute this many stages again, drawn at random, and compare.", valueName: "n"))
  var recompute = 0

  @Option(help: ArgumentHelp("Seed of the draw: an equal seed draws the same stages.", valueName: "seed"))
  var sample: UInt64 = 0

  @Flag(help: "Print JSON.")
  var json = false

  @OptionGroup var options: PipelineOptions
  @OptionGroup var confinement: SandboxOptions
  @OptionGroup var machine: MachineOptions
  @OptionGroup var execution: ExecutionOptions

  func validate() throws {
    if recompute < 0 { throw ValidationError("--recompute \(recompute): expected 0 or more") }
  }

  func run() throws {
    var runOptions = try machine.runOptions()
    confinement.apply(to: &runOptions)
    Signals.install()
    let display = Display(json: false)
    let store: Store
    var plan: Plan?
    var variables = [String: String]()
    if let pipeline {
      let planner = try options.planner(pipeline, display: display, observing: execution.isLocal)
      store = planner.store
      variables = try options.variables(of: options.load(pipeline))
      plan = try planner.plan(stages: stages)
    } else {
      try options.requireNone("none is named", executes: true)
      let observed = try options.stores.openExisting(options.registry())
      // A cluster gets its orders through the store.
      store = execution.isLocal ? observed : try options.stores.open(options.registry())
      variables = try options.variables()
    }
    let auditor = Auditor(store: store, deep: deep, interruption: Signals.interruption)
    let report = try auditor.audit(
      plan: plan, variables: variables, trusting: try trust.map { try TrustedKeys(pem: KeyFile.text(of: $0)) })
    var recomputed: RecomputationReport?
    if recompute > 0 {
      recomputed = try Reexecution(
        store: store, variables: variables, options: runOptions, interruption: Signals.interruption,
        executor: try execution.executor(for: store, pipeline: pipeline, jobs: nil, display: display)
      ) { display.show($0) }.recompute(recompute, seed: sample, plan: plan)
    }
    if json {
      var members = report.canonical.objectValue ?? [:]
      members["recomputed"] = recomputed?.canonical ?? .null
      Output.json(CanonicalValue.object(members))
    } else {
      for finding in report.findings { Output.line("\(finding.kind.rawValue): \(finding.path): \(finding.message)") }
      for line in Audit.signatures(report.signed) { Output.line(line) }
      let problems = report.findings.filter(\.isProblem).count
      Output.line(
        "\(Units.count(report.records, "record")), \(Units.count(report.objects, "object")), "
          + "\(report.bytes) bytes checked: "
          + (report.isSound ? "no problems found" : "\(problems) problem\(problems == 1 ? "" : "s")"))
      if let recomputed { print(recomputed) }
    }
    if !report.isSound || recomputed?.isReproduced == false { throw ExitCode(ExitCodes.difference) }
  }

  private func print(_ report: RecomputationReport) {
    for instance in report.instances { Rerun.print(instance) }
    for failure in report.failures { Output.line("\(failure.stage): failed: \(failure.message)") }
    for reason in Set(report.notRestorable).sorted() { Output.line("not executable: \(reason)") }
    let drawn = report.instances.count + report.failures.count
    let good = report.instances.count(where: \.isReproduced)
    Output.line("recomputed \(drawn) of \(report.candidates) stages (sample \(sample)): \(good) reproduced")
  }

  /// One line for each artifact that is signed, with the owners of the keys.
  private static func signatures(_ signed: [AuditReport.Signed]) -> [String] {
    signed.filter { !$0.by.isEmpty }.map {
      "signed: \($0.stage).\($0.output) \($0.artifact.digest.short) by \($0.by.joined(separator: ", "))"
    }
  }
}
