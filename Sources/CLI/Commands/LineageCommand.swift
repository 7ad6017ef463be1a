import ArgumentParser
import Determinism
import Pipelines

struct LineageCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "lineage",
    abstract: "Show everything that a file or an artifact was made from, or that was made from it.",
    discussion: """
      A tree: below each artifact, what the stage that made it has read, with data at the leaves. A file is found by its
      content, whatever its name: a copy that 'get' made, JSON that was written anew, or one file of a tree. What stands
      further up already is not repeated.

      EXAMPLES:
        autopanoptic lineage quality.quality
        autopanoptic lineage figures/table.csv
        autopanoptic lineage coco.search-train --down
        autopanoptic lineage 3fa91c --json
      """)

  @Argument(help: "A file or folder, or the ID or name of an artifact or a record.", completion: .file())
  var subject: String

  @Flag(help: "Show what was made from it instead.")
  var down = false

  @Flag(help: "Show every artifact of long lists.")
  var all = false

  @Flag(help: "Print JSON.")
  var json = false

  @OptionGroup var stores: StoreOptions

  func run() throws {
    let store = try stores.openExisting()
    let (artifacts, place) = try find(in: store)
    let lineage = try Lineage(store: store)
    let trees = artifacts.map { down ? lineage.descendants(of: $0) : lineage.ancestors(of: $0) }
    if json {
      Output.json(trees.count == 1 ? trees[0].canonical : .array(trees.map(\.canonical)))
      return
    }
    if let place { Output.line("\(subject) is \(place) of") }
    for tree in trees {
      for line in tree.lines(limit: all ? .max : 4) { Output.line(line) }
    }
  }

  /// What is meant, and for a file of a tree its place there.
  private func find(in store: Store) throws -> ([Artifact], place: String?) {
    let isPath = subject.utf8.contains(UInt8(ascii: "/"))
    if !isPath {
      do {
        switch try Lookup(store: store).find(subject) {
        case .artifact(let artifact): return ([artifact], nil)
        case .record(let key):
          return (try Lookup(store: store).execution(key).outputs.sorted { $0.key < $1.key }.map(\.value), nil)
        }
      } catch let error as PipelineError where error.code == .unknownID && FileIO.kind(subject) != nil {
        // A file of that name is meant.
      }
    }
    let found = try FileIdentity(store: store).find(subject)
    return ([found.artifact], found.place)
  }
}
