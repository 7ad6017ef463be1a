import ArgumentParser
import Determinism
import PipelineFiles
import PipelineReports
import Pipelines
import Stages

struct ReportCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "report", abstract: "Write one HTML file that shows what a pipeline gave and where it came from.",
    discussion: """
      The file needs no network and no script: root, numbers, graph, curves, figures, parameters, keys and digests of all
      stages, the data, an audit, and the commands that check all of it elsewhere. Stages without results are shown as
      such. Nothing is computed, and nothing in the store changes.

      With --reproducible, times, machines and sizes on the disk are left out: equal stores give equal files.

      EXAMPLES:
        autopanoptic report pipelines/coco.yaml
        autopanoptic report pipelines/coco.yaml --profile smoke --output smoke.html
        autopanoptic report pipelines/coco.yaml --reproducible --output coco.html && sha256sum coco.html
      """)

  @Argument(help: "The pipeline file.", completion: .pipelines)
  var pipeline: String

  @Option(name: [.short, .long], help: ArgumentHelp("Where to write (default: NAME.html).", valueName: "file"))
  var output: String?

  @Flag(help: "Leave out times, machines and sizes on the disk.")
  var reproducible = false

  @Flag(inversion: .prefixedNo, help: "Verify the artifacts and records behind the pipeline.")
  var audit = true

  @OptionGroup var options: PipelineOptions
  @OptionGroup var machine: MachineOptions

  func run() throws {
    try machine.apply()
    Signals.install()
    let output = output ?? "\(pipeline.lastPathComponent.withoutEnding).html"
    try FileIO.requirePublishable(output)
    let planner = try options.planner(pipeline, display: Display(json: false), observing: true)
    let subject = try ReportSubject(planner)
    try Signals.endIfRequested()
    var facts = try options.reportOptions(pipeline, planner.store.registry)
    facts.isReproducible = reproducible
    if audit {
      facts.audit = try Auditor(store: planner.store, interruption: Signals.interruption)
        .audit(plan: subject.plan, variables: options.variables())
    }
    let rows = PaperRows.rows(around: pipeline, of: subject, in: planner.store) { try options.description(of: $0) }
    let report = Report(subject, options: facts, providers: [PaperReport(rows: rows, profile: facts.profile)])
    let html = try report.html()
    try Signals.endIfRequested()
    try OutputFile.publish(html, to: output)
    Output.line("\(output): \(Units.bytes(html.utf8.count))")
  }
}

extension PipelineOptions {
  /// What a report says of the pipeline beside what the store has.
  func reportOptions(_ path: String, _ registry: StageRegistry) throws -> ReportOptions {
    let file = try PipelineFile(path: path)
    var facts = ReportOptions()
    facts.profile = profile ?? file.profile
    facts.fidelity = fidelity
    facts.seed = try description(of: file).seed
    facts.expectedRoot = try expectedRoot(path)?.root
    facts.standard = try Pipeline(try file.description(profile: profile), registry: registry)
    facts.file = PipelineOptions.nameInCheckout(path)
    facts.arguments = try arguments()
    facts.version = Version.text
    return facts
  }

  /// The path of a file from the folder that is under version control: the same on all machines.
  private static func nameInCheckout(_ path: String) -> String {
    let folder = Checkout.folder(ofFile: path)
    let root = Checkout.root(above: folder)
    let place = folder == root ? "" : String(folder.dropFirst(root.count + 1)) + "/"
    return place + path.lastPathComponent
  }
}
