import ArgumentParser
import Determinism
import PipelineFiles
import Pipelines
import Stages

struct Lint: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Check a pipeline file: all profiles and fidelities, all mistakes.",
    discussion: """
      Says what is wrong, where, and what was probably meant, one line for each mistake; 'run' and 'plan' stop at the
      first. Nothing is executed and no data is looked at. Exits with 65 where something is wrong. With --schema, prints
      the JSON Schema of pipeline files, by which editors complete and check; with --reference, all keys as Markdown.

      EXAMPLES:
        autopanoptic lint pipeline.yaml
        autopanoptic lint pipeline.yaml --json
        autopanoptic lint --schema > pipeline.schema.json
      """)

  @Argument(help: "The pipeline file.", completion: .pipelines)
  var pipeline: String?

  @Flag(help: "Print the JSON Schema of pipeline files.")
  var schema = false

  @Flag(help: "Print the reference of pipeline files as Markdown.")
  var reference = false

  @Flag(help: "Print JSON.")
  var json = false

  func validate() throws {
    guard [pipeline != nil, schema, reference].count(where: { $0 }) == 1 else {
      throw ValidationError("expected a pipeline file, or --schema, or --reference")
    }
  }

  func run() throws {
    let registry = Stages.registry()
    if schema { return Output.json(PipelineSchema.make(registry)) }
    if reference { return Output.write(PipelineReference.markdown(registry), to: 1) }
    guard let pipeline else { return }
    let lint = PipelineLint(path: pipeline, registry: registry)
    if json {
      Output.json([
        "pipeline": .string(pipeline), "combinations": .integer(lint.combinations),
        "mistakes": .array(lint.mistakes.map(\.canonical)),
      ])
    } else {
      for mistake in lint.mistakes {
        let only = mistake.options.isEmpty ? "" : "  [\(mistake.options.joined(separator: "; "))]"
        Output.line(mistake.error.description + only)
      }
      let checked = Units.count(lint.combinations, "combination") + " of profile and fidelity"
      if lint.mistakes.isEmpty { Output.line("\(pipeline): no mistakes in \(checked)") }
    }
    if !lint.mistakes.isEmpty {
      Output.error("\(pipeline): \(Units.count(lint.mistakes.count, "mistake"))")
      throw ExitCode(ExitCodes.badData)
    }
  }
}
