import ArgumentParser
import Determinism
import Pipelines

struct GraphCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "graph", abstract: "Draw a pipeline as SVG or DOT, coloured by the state of its stages.",
    discussion: """
      All instances of a fanned-out stage are one box with a count. Without --output the text goes to standard output.

      EXAMPLES:
        autopanoptic graph pipelines/coco.yaml --output coco.svg
        autopanoptic graph pipelines/coco.yaml --format dot | dot -Tpdf > coco.pdf
        autopanoptic graph pipelines/coco.yaml finetune --set finetune.recipe.updates=400 > plan.svg
      """)

  enum Format: String, ExpressibleByArgument, CaseIterable { case svg, dot }

  @Argument(help: "The pipeline file.", completion: .pipelines)
  var pipeline: String

  @Argument(help: "Stages to draw, with all they need (default: all).", completion: .stages)
  var stages: [String] = []

  @Option(help: "svg or dot (default: what --output ends in, else svg).")
  var format: Format?

  @Option(name: [.short, .long], help: ArgumentHelp("Where to write.", valueName: "file"))
  var output: String?

  @OptionGroup var options: PipelineOptions
  @OptionGroup var machine: MachineOptions

  func run() throws {
    try machine.apply()
    Signals.install()
    if let output { try FileIO.requirePublishable(output) }
    let planner = try options.planner(pipeline, display: Display(json: false), observing: true)
    let drawing = GraphDrawing(try planner.plan(stages: stages))
    let chosen = format ?? (output?.hasSuffix(".dot") == true || output?.hasSuffix(".gv") == true ? .dot : .svg)
    let text = chosen == .svg ? drawing.svg : drawing.dot
    try Signals.endIfRequested()
    guard let output else {
      Output.write(text, to: 1)
      return
    }
    try OutputFile.publish(text, to: output)
  }
}
