import ArgumentParser
import Determinism
import Pipelines
import Stages

struct Show: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Show what an artifact holds and what made it, or a record.",
    discussion: """
      Written for people: of a record, when and from what it was made, the parameters that are not the defaults, and what
      came out; of an architecture its choices, of a leaderboard its best models. --json is for programs: a record as it is
      kept, an artifact with its value where it holds JSON.

      EXAMPLES:
        autopanoptic show 3fa91c
        autopanoptic show finetune
        autopanoptic show quality.quality --json
        autopanoptic show finetune.weights --path
      """)

  @Argument(
    help:
      "The ID of an artifact or of a record (its key), of which the first digits are enough; or a name: 'stage.output' or 'stage', which is the newest."
  )
  var id: String

  @Flag(help: "Print only the path of the artifact.")
  var path = false

  @Flag(help: "Of a record, also show parameters with their defaults; of an artifact, its whole value.")
  var all = false

  @Flag(help: "Print JSON.")
  var json = false

  @OptionGroup var stores: StoreOptions

  func run() throws {
    let lookup = Lookup(store: try stores.openExisting())
    switch try lookup.find(id) {
    case .record(let key):
      if json { return Output.json(try lookup.recordContent(key)) }
      let record = try RecordDescription(key, in: lookup.store)
      for line in RecordPrinter(record: record, showsAll: all).lines { Output.line(line) }
    case .artifact(let artifact):
      if path {
        Output.line(lookup.path(of: artifact))
      } else if json {
        Output.json(try value(artifact, lookup))
      } else {
        for line in try lines(artifact, lookup) { Output.line(line) }
      }
    }
  }

  private func value(_ artifact: Artifact, _ lookup: Lookup) throws -> CanonicalValue {
    var members: [String: CanonicalValue] = [
      "kind": .string(artifact.kind), "digest": .string(artifact.digest.hex),
      "path": .string(lookup.path(of: artifact)),
      "description": .array(try lookup.describe(artifact).map { .string($0) }),
    ]
    if artifact.holdsJSON { members["value"] = try lookup.store.json(of: artifact) }
    return .object(members)
  }

  private func lines(_ artifact: Artifact, _ lookup: Lookup) throws -> [String] {
    let lines = try lookup.describe(artifact)
    guard artifact.holdsJSON else { return lines }
    let value = try lookup.store.json(of: artifact)
    let head = lines.prefix { !$0.isEmpty } + [""]
    if all { return head + TextLines.split(value.prettyText) }
    return ArtifactText.lines(of: value).map { head + $0 } ?? lines
  }
}
