import ArgumentParser
import Determinism
import Pipelines

struct Show: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Show what an artifact holds and what made it, or a record.",
    discussion: """
      EXAMPLES:
        autopanoptic show 3fa91c
        autopanoptic show finetune.weights --path
      """)

  @Argument(
    help:
      "The ID of an artifact or of a record (its key), of which the first digits are enough; or a name: 'stage.output' or 'stage', which is the newest."
  )
  var id: String

  @Flag(help: "Print only the path of the artifact.")
  var path = false

  @Flag(help: "Print JSON.")
  var json = false

  @OptionGroup var stores: StoreOptions

  func run() throws {
    let lookup = Lookup(store: try stores.openExisting())
    switch try lookup.find(id) {
    case .record(let key):
      let content = try lookup.recordContent(key)
      if json { Output.json(content) } else { Output.write(content.prettyText.printable, to: 1) }
    case .artifact(let artifact):
      if path {
        Output.line(lookup.path(of: artifact))
      } else if json {
        let value: CanonicalValue = [
          "kind": .string(artifact.kind), "digest": .string(artifact.digest.hex),
          "path": .string(lookup.path(of: artifact)),
          "description": .array(try lookup.describe(artifact).map { .string($0) }),
        ]
        Output.json(value)
      } else {
        for line in try lookup.describe(artifact) { Output.line(line) }
      }
    }
  }
}
