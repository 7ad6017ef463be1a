import Determinism
import Foundation
import Synchronization
import Testing

@testable import PipelineModel

/// Calls `meanwhile` before it reads its inputs.
private struct Reader: Stage {
  static let name = "reader", version = 1
  static let inputs = [InputPort("data", "tree"), InputPort("value", "json", optional: true)]
  static let outputs = [OutputPort("text", "json")]
  init(parameters: NoParameters) {}

  static let meanwhile = Mutex<(@Sendable (_ data: String, _ value: String?) throws -> Void)?>(nil)

  func run(in context: StageContext) throws {
    let data = context.input("data")
    try Reader.meanwhile.withLock { $0 }?(data.path, context.optionalInput("value")?.path)
    let texts = try data.tree.paths.map { "\($0): " + String(decoding: try data.tree.read($0), as: UTF8.self) }
    try context.write("text", json: texts + [context.optionalInput("value")?.json().canonicalText ?? ""])
  }
}

@Suite("A stage reads exactly the inputs its key names", .serialized)
struct VerificationTests {
  struct Change: CustomTestStringConvertible, Sendable {
    let testDescription: String
    /// Changes the folder of a stored tree's files; the change must be noticed.
    let make: @Sendable (String) throws -> Void

    private static func times(of path: String) throws -> [timespec] {
      var s = stat()
      try #require(stat(path, &s) == 0)
      return [s.st_atim, s.st_mtim]
    }

    /// Overwrites in place and sets the times back.
    private static func overwrite(_ path: String, _ text: String) throws {
      let before = try times(of: path)
      chmod(path, 0o644)
      let fd = open(path, O_WRONLY)
      try #require(fd >= 0 && write(fd, text, text.utf8.count) == text.utf8.count)
      close(fd)
      chmod(path, 0o444)
      try #require(utimensat(AT_FDCWD, path, before, 0) == 0)
    }

    static let all = [
      Change(testDescription: "a file overwritten in place, its times set back") {
        try overwrite($0 + "/flat.txt", "tlaf")
      },
      Change(testDescription: "a file replaced by another of the same size") {
        try save("tlaf", to: $0 + "/new")
        rename($0 + "/new", $0 + "/flat.txt")
      },
      Change(testDescription: "a file removed") { try Files.remove($0 + "/a/b/deep.txt") },
      Change(testDescription: "a file added") { try save("new", to: $0 + "/a/new.txt") },
      Change(testDescription: "an empty folder added") { try Files.makeFolder($0 + "/a/empty") },
      Change(testDescription: "a file that became executable") { chmod($0 + "/flat.txt", 0o555) },
      Change(testDescription: "a file that became a link to an equal one") {
        rename($0 + "/flat.txt", $0 + "/../copy")
        symlink("../copy", $0 + "/flat.txt")
      },
      Change(testDescription: "a folder swapped for one with another file") {
        try Files.makeFolder($0 + "/other/b")
        try save("peed", to: $0 + "/other/b/deep.txt")
        rename($0 + "/a", $0 + "/../a")
        rename($0 + "/other", $0 + "/a")
      },
    ]
  }

  private static let text = """
    pipeline: p
    stages:
      pool: { uses: candidates }
      judge: { uses: evaluate, for-each: pool.list, needs: { architecture: each } }
      select: { uses: gather, needs: { qualities: judge.quality } }
      read: { uses: reader, needs: { data: select.pictures, value: select.board } }
    """

  private func bench() throws -> Bench {
    let bench = try Bench()
    bench.registry = StageRegistry(
      kinds: [
        StageKind(Candidates.self), StageKind(Evaluate.self), StageKind(Gather.self), StageKind(Reader.self),
        StageKind(source: FolderSource.self),
      ])
    return bench
  }

  @Test("a change after an object was verified is noticed at the next verification", arguments: Change.all)
  func afterFirstLook(change: Change) throws {
    let bench = try bench()
    try bench.run(Self.text)
    let store = try bench.store()
    let tree = try #require(store.index.allEntries.first { $0.stage == "select" }?.outputs["pictures"])
    Thread.sleep(forTimeInterval: 0.05)
    try store.verify(tree)
    try store.verify(tree)
    try change.make(store.objectPath(tree) + "/files")
    #expect(throws: PipelineError.self) { try store.verify(tree) }
    #expect(try !bench.audit().isSound)
  }

  @Test("a change while a stage reads fails the stage and makes no record", arguments: Change.all)
  func whileReading(change: Change) throws {
    let bench = try bench()
    Reader.meanwhile.withLock { $0 = { data, _ in try change.make(data) } }
    defer { Reader.meanwhile.withLock { $0 = nil } }
    let result = try bench.run(Self.text).result
    #expect(result.failures.map(\.stage) == ["read"], "\(result.failures.map(\.message))")
    #expect(try bench.store().recordKeys().count == 5)
  }

  @Test("a value that changes while a stage reads makes no record, even if its checksum changes with it")
  func value() throws {
    let bench = try bench()
    Reader.meanwhile.withLock {
      $0 = { _, value in
        guard let value else { return }
        for path in [value, value + ".sha256"] { chmod(path, 0o644) }
        try save("[7]", to: value)
        try save(Digest(of: "[7]").hex + "\n", to: value + ".sha256")
      }
    }
    defer { Reader.meanwhile.withLock { $0 = nil } }
    let result = try bench.run(Self.text).result
    #expect(result.failures.first?.message.contains("changed while") == true)
    #expect(try !bench.audit().isSound, "the name of an object tells its content")
  }

  @Test("a source's file that was swapped and put back while a stage read it is noticed", arguments: [false, true])
  func swappedSource(isFolder: Bool) throws {
    let bench = try bench()
    try Files.makeFolder(bench.folder + "/data/train/x")
    try save("good", to: bench.folder + "/data/train/x/1")
    bench.variables["TEST_DATA"] = bench.folder + "/data"
    let text = "pipeline: p\nstages:\n  data: { uses: folder }\n  read: { uses: reader, needs: { data: data.train } }\n"
    Reader.meanwhile.withLock {
      $0 = { data, _ in
        // Moved away and back: no time of the file itself changes.
        let place = isFolder ? data + "/train/x" : data + "/train/x/1"
        rename(place, data + "/aside")
        if isFolder { try Files.makeFolder(place) }
        try save("evil", to: data + "/train/x/1")
      }
    }
    let result = try bench.run(text).result
    Reader.meanwhile.withLock { $0 = nil }
    #expect(result.failures.first?.message.contains("train/x/1 changed while") == true)
    #expect(result.failures.first?.isUserData == true)
  }

  @Test("a file added to a source after its manifest was made is not part of it")
  func addedToSource() throws {
    let bench = try bench()
    try Files.makeFolder(bench.folder + "/data/train")
    try save("good", to: bench.folder + "/data/train/1")
    bench.variables["TEST_DATA"] = bench.folder + "/data"
    let text = "pipeline: p\nstages:\n  data: { uses: folder }\n  read: { uses: reader, needs: { data: data.train } }\n"
    let plain = try bench.run(text).result
    let other = try self.bench()
    other.variables = bench.variables
    Reader.meanwhile.withLock { $0 = { data, _ in try save("more", to: data + "/train/0") } }
    let disturbed = try other.run(text).result
    Reader.meanwhile.withLock { $0 = nil }
    #expect(plain.root != nil && disturbed.root == plain.root)
  }

  @Test("modification times of any year are read")
  func farFuture() throws {
    let bench = try Bench()
    let file = bench.folder + "/old"
    try save("x", to: file)
    for year in [-1 << 31, 15_032_385_535, 1 << 40] {
      _ = utimensat(AT_FDCWD, file, [timespec(tv_sec: year, tv_nsec: 0), timespec(tv_sec: year, tv_nsec: 5)], 0)
      _ = try Files.status(file)
    }
  }
}
