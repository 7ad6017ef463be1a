import Determinism
import Foundation
import Testing

@testable import ArtifactStore
@testable import PipelineModel
@testable import PipelineRunner
@testable import Results

@Suite("Copies of artifacts, and what they were made from")
struct ArtifactCopyTests {
  private struct Made {
    let bench: Bench
    let store: Store
    var folder: String { bench.folder }

    init() throws {
      bench = try Bench()
      try bench.run(TestPipelines.search)
      store = try bench.store()
    }

    func copy(_ id: String, to target: String?, replaces: Bool = false) throws -> String {
      try ArtifactCopy(store: store).copy(Lookup(store: store).find(id), id: id, to: target, replaces: replaces)
    }
  }

  @Test("a copy has a name that says what it is, and the artifact's bytes")
  func names() throws {
    let made = try Made()
    let cases = [
      ("pretrain.weights", "pretrain.weights.json"), ("judge[1].quality", "judge-1.quality.json"),
      ("select.pictures", "select.pictures"), ("pool", "pool.list.json"), ("select", "select"),
    ]
    for (id, name) in cases {
      #expect(try made.copy(id, to: made.folder + "/out/") == "\(made.folder)/out/\(name)")
    }
    #expect(
      try Files.walk(made.folder, below: "out/select") == [
        "out/select/board.json", "out/select/pictures/a/b/deep.txt", "out/select/pictures/flat.txt",
      ])
    guard case .artifact(let weights) = try Lookup(store: made.store).find("pretrain.weights") else { return }
    #expect(
      try Files.read(made.folder + "/out/pretrain.weights.json") == Files.read(made.store.objectPath(weights)))
    // Its owner may write to it, and no draft is left.
    try Files.write([0x20], to: made.folder + "/out/pretrain.weights.json", append: true)
    #expect(try Files.list(made.folder + "/out").count == 5)
  }

  @Test("nothing is replaced unless that is wanted")
  func replacing() throws {
    let made = try Made()
    let target = made.folder + "/w.json"
    try Files.write([1], to: target)
    let error = #expect(throws: PipelineError.self) { try made.copy("pretrain.weights", to: target) }
    #expect(error?.code == .badReference && error?.message.contains("--force") == true)
    #expect(try Files.read(target) == [1])
    _ = try made.copy("pretrain.weights", to: target, replaces: true)
    #expect(try Files.read(target).count > 1)
    // A folder makes room for a file of that name, and the other way round.
    _ = try made.copy("select.pictures", to: made.folder + "/tree")
    _ = try made.copy("select.pictures", to: made.folder + "/other", replaces: true)
    #expect(try Files.list(made.folder).filter { $0.hasPrefix(".") }.isEmpty)
  }

  @Test("a damaged artifact is not copied")
  func damaged() throws {
    let made = try Made()
    guard case .artifact(let artifact) = try Lookup(store: made.store).find("select.board") else { return }
    let path = made.store.objectPath(artifact)
    chmod(path, 0o644)
    try Files.write([0x20], to: path, append: true)
    #expect(throws: PipelineError.self) { try made.copy("select.board", to: made.folder + "/board") }
    #expect(!Files.exists(made.folder + "/board"))
  }

  @Test("lineage leads to the data, and down again")
  func lineage() throws {
    let made = try Made()
    let lineage = try Lineage(store: made.store)
    guard case .artifact(let board) = try Lookup(store: made.store).find("select.board"),
      case .artifact(let pool) = try Lookup(store: made.store).find("pool.list")
    else { return }
    let up = lineage.ancestors(of: board)
    #expect(up.maker?.stage == "select" && up.children.map { $0.maker?.stage } == ["judge[0]", "judge[1]", "judge[2]"])
    #expect(
      up.children[0].children.map { "\($0.port) \($0.maker!.stage)" } == ["architecture pool", "weights pretrain"])
    #expect(up.lines(limit: 2).last == "└─ ... and 1 more; --all shows them")
    let down = lineage.descendants(of: pool)
    #expect(down.children.count == 3)
    #expect(down.children[0].children.map { $0.maker?.output } == ["board", "pictures"])
    #expect(down.canonical["children"]?.arrayValue?.count == 3)
  }

  @Test("a file is found by its content: a copy, JSON written anew, one file of a tree, a folder")
  func files() throws {
    let made = try Made()
    let identity = FileIdentity(store: made.store)
    let board = try made.copy("select.board", to: made.folder + "/x.json")
    let text = try CanonicalValue(json: Files.read(board)).prettyText
    try save(text, to: made.folder + "/y.json")
    let pictures = try made.copy("select.pictures", to: made.folder + "/pictures")
    try save("flat", to: made.folder + "/z.txt")
    guard case .artifact(let artifact) = try Lookup(store: made.store).find("select.board") else { return }
    #expect(try identity.find(made.folder + "/x.json").artifact == artifact)
    #expect(try identity.find(made.folder + "/y.json").artifact == artifact)
    #expect(try identity.find(pictures).artifact.kind == "tree")
    #expect(try identity.find(made.folder + "/z.txt").place == "flat.txt")
    try save("flatter", to: made.folder + "/z.txt")
    #expect(throws: PipelineError.self) { try identity.find(made.folder + "/z.txt") }
  }

  @Test("a record is described with where its inputs came from and what is not a default")
  func description() throws {
    let made = try Made()
    guard case .record(let key) = try Lookup(store: made.store).find("judge[1]") else { return }
    let judge = try RecordDescription(key, in: made.store)
    #expect(judge.inputs.map(\.origin) == ["element 1 of pool.list", "pretrain.weights"])
    guard case .record(let pool) = try Lookup(store: made.store).find("pool") else { return }
    let record = try RecordDescription(pool, in: made.store)
    #expect(record.parameters.filter { !$0.isDefault }.map(\.name) == ["genes"] && record.parameters.count == 2)
    #expect(record.outputs.map(\.bytes) == [34])
  }
}
