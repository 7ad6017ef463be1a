import Determinism
import Foundation
import Synchronization
import Testing

@testable import ArtifactStore
@testable import PipelineModel
@testable import Provenance

@Suite("Objects of a store never change while they are read")
struct ImmutableObjectTests {
  /// Writes a tree of some files in a scratch folder, as a stage does.
  private func makeTree(_ store: Store, files: Int) throws -> (scratch: String, tree: Store.Written) {
    let scratch = try store.makeScratch()
    for i in 0..<files {
      try Files.makeFolder("\(scratch)/out/files/\(i % 3)")
      try Files.write(Array("file \(i)".utf8), to: "\(scratch)/out/files/\(i % 3)/\(i)")
    }
    return (scratch, try store.identify(.init(path: scratch + "/out"), kind: TreeFormat.name))
  }

  @Test("two hundred concurrent executions with the same tree leave the first object unchanged for its readers")
  func concurrentTrees() throws {
    let bench = try Bench()
    let stores = [try bench.store(), try bench.store()]  // As two processes have: nothing in memory is shared.
    let (files, count) = (12, 200)
    let expected = try makeTree(stores[0], files: files).tree.artifact
    let problems = Recorder()
    let inodes = Mutex(Set<UInt64>())
    DispatchQueue.concurrentPerform(iterations: 8) { worker in
      let store = stores[worker % 2]
      for _ in 0..<count / 8 {
        do {
          let (scratch, tree) = try makeTree(store, files: files)
          defer { try? Files.remove(scratch) }
          if tree.artifact != expected { problems.note("another tree") }
          try store.commit([tree], record: nil, scratch: scratch)
          // A stage that reads the object from here on must not be disturbed by later executions.
          let path = store.objectPath(expected)
          let before = try store.verify(expected)
          let inode = try Files.status(path + "/files/0/0").inode
          inodes.withLock { _ = $0.insert(inode) }
          for i in 0..<files where try Files.read("\(path)/files/\(i % 3)/\(i)") != Array("file \(i)".utf8) {
            problems.note("file \(i) was another")
          }
          if try store.fingerprint(of: expected) != before { problems.note("the object changed") }
        } catch {
          problems.note("\(error)")
        }
      }
    }
    #expect(problems.notes == [])
    #expect(inodes.withLock { $0.count } == 1, "the first object is the only one there ever was")
    #expect(try Files.list(bench.storePath + "/locks").filter { $0.hasPrefix("object-") }.isEmpty)
  }

  @Test("a damaged object is set aside and replaced", arguments: [JSONFormat.name, TreeFormat.name])
  func damaged(kind: String) throws {
    let bench = try Bench()
    let root = try bench.run(TestPipelines.search).result.root
    let ending = kind == TreeFormat.name ? "flat.txt" : ".json"
    for path in try bench.files("objects") where path.hasSuffix(ending) {
      try AuditTests.Damage.flip(bench.storePath + "/" + path)
    }
    #expect(try !bench.audit().isSound)
    let other = try Bench()
    #expect(try other.run(TestPipelines.search).result.root == root)
    let bundle = bench.folder + "/bundle.tar"
    for key in try other.store().recordKeys() {
      try Files.remove(bundle)
      _ = try Exporter(store: other.store()).export(.record(key: key), to: bundle)
      _ = try Importer(store: bench.store()).take(bundle)
    }
    #expect(try bench.audit(deep: true).isSound)
    #expect(try !bench.files("damaged").isEmpty)
  }

  @Test("a record is never overwritten by a later one with its key")
  func records() throws {
    let bench = try Bench()
    try bench.run(TestPipelines.search)
    let store = try bench.store()
    let key = try #require(try store.recordKeys().first)
    let before = try Files.read(store.recordPath(key))
    var forged = try store.record(key)
    let name = try #require(forged.outputs.keys.first)
    let scratch = try store.makeScratch()
    try store.commit([], record: forged, scratch: scratch)
    forged.outputs[name] = Artifact(kind: forged.outputs[name]!.kind, digest: Digest(of: "another"))
    let error = #expect(throws: PipelineError.self) { try store.commit([], record: forged, scratch: scratch) }
    #expect(error?.code == .notReproduced)
    #expect(try Files.read(store.recordPath(key)) == before)
  }
}
