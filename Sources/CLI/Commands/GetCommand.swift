import ArgumentParser
import Determinism
import Pipelines

struct Get: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "get", abstract: "Copy an artifact out of the store.",
    discussion: """
      The copy is verified, gets a name that says what it is, and appears when it is complete. A tree becomes a folder. Of
      a stage, all outputs are copied: one as such, several into a folder. Nothing is replaced without --force.

      EXAMPLES:
        autopanoptic get finetune.history                  # finetune.history.json
        autopanoptic get finetune.weights -o weights.h5
        autopanoptic get predict -o results/
      """)

  @Argument(
    help: "The ID of an artifact or record, of which the first digits are enough; or a name: 'stage.output' or 'stage'."
  )
  var id: String

  @Option(
    name: .shortAndLong,
    help: ArgumentHelp(
      "Where the copy goes: a new path, or a folder (default: the working folder).", valueName: "path"),
    completion: .file())
  var output: String?

  @Flag(help: "Replace what is there.")
  var force = false

  @OptionGroup var stores: StoreOptions

  func run() throws {
    let store = try stores.openExisting()
    let match = try Lookup(store: store).find(id)
    Output.line(try ArtifactCopy(store: store).copy(match, id: id, to: output, replaces: force))
  }
}
