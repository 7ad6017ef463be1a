import Determinism
import Foundation
import PipelineFiles
import Synchronization
import Testing

@testable import ArtifactStore
@testable import PipelineModel
@testable import PipelineRunner
@testable import Provenance

@Suite("Store on failing disks and with wrong clocks", .serialized)
struct DiskTests {
  @discardableResult
  private static func run(_ path: String, settings: [String] = []) throws -> RunResult {
    let registry = TestStages.registry()
    let description = try PipelineFile(text: TestPipelines.search, path: "search.yaml")
      .description(settings: settings.map { try Setting(parsing: $0) })
    let planner = Planner(
      pipeline: try Pipeline(description, registry: registry), store: try Store(path: path, registry: registry))
    return try Runner(planner: planner, options: RunOptions()).run()
  }

  private static func audit(_ path: String) throws -> AuditReport {
    try Auditor(store: try Store(observing: path, registry: TestStages.registry()), deep: true).audit()
  }

  /// Runs `mount` with these arguments.
  /// - Returns: whether mounting is allowed; it takes root, and some containers forbid it even then.
  private static func mount(_ arguments: String...) -> Bool {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = arguments
    process.standardError = FileHandle.nullDevice
    guard (try? process.run()) != nil else { return false }
    process.waitUntilExit()
    return process.terminationStatus == 0
  }

  private static let canMount: Bool = {
    let folder = NSTemporaryDirectory() + "mount-" + UUID().uuidString
    try? FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    guard geteuid() == 0, mount("mount", "--bind", folder, folder) else { return false }
    defer { _ = mount("umount", "-l", folder) }
    return mount("mount", "-o", "remount,ro,bind", folder)
  }()

  @Test("a full disk is reported; with space again the run ends with the same root")
  func fullDisk() throws {
    let root = try Self.run(try Bench().storePath).root
    let bench = try Bench()
    let disk = bench.folder + "/disk"
    try Files.makeFolder(disk)
    // Space for some folders and files, not for all: each takes a page or an inode of tmpfs.
    guard geteuid() == 0, Self.mount("mount", "-t", "tmpfs", "-o", "size=40k,nr_inodes=10", "tmpfs", disk) else {
      return
    }
    defer { _ = Self.mount("umount", "-l", disk) }
    var failures = 0
    for inodes in stride(from: 10, through: 400, by: 10) {
      #expect(Self.mount("mount", "-o", "remount,size=\(inodes * 4)k,nr_inodes=\(inodes)", disk))
      do {
        let result = try Self.run(disk + "/store")
        if result.failures.isEmpty {
          #expect(result.root == root)
          break
        }
        failures += 1
        for failure in result.failures {
          #expect((failure.error as? PipelineError)?.code == .diskFull, "\(failure.message)")
          #expect(failure.message.contains("bytes are free"), "\(failure.message)")
        }
      } catch let error as PipelineError {
        failures += 1
        #expect(error.code == .diskFull, "\(error)")
      }
      if Files.exists(disk + "/store/format") {
        #expect(try Self.audit(disk + "/store").findings.filter(\.isProblem).isEmpty, "with \(inodes) inodes")
      }
    }
    #expect(failures > 1)
    #expect(try Self.run(disk + "/store").root == root)
    #expect(try Self.audit(disk + "/store").isSound)
  }

  @Test("a limit on file sizes is reported with its value")
  func fileSizeLimit() async throws {
    let bench = try Bench()
    await #expect(processExitsWith: .success) { [path = bench.storePath as String] in
      signal(SIGXFSZ, SIG_IGN)
      var limit = rlimit(rlim_cur: 700, rlim_max: 700)
      #expect(setrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &limit) == 0)
      let result = try DiskTests.run(path)
      let failure = try #require(result.failures.first)
      #expect((failure.error as? PipelineError)?.code == .diskFull, "\(failure.message)")
      #expect(failure.message.contains("700 bytes at most (ulimit -f)"), "\(failure.message)")
    }
    #expect(try Self.audit(bench.storePath).findings.filter(\.isProblem).isEmpty)
    #expect(try Self.run(bench.storePath).root == Self.run(try Bench().storePath).root)
  }

  @Test(
    "a read-only store still serves its results; a run that must write says why it can't",
    .enabled(if: canMount, "only root may mount, and not everywhere"))
  func readOnly() throws {
    let bench = try Bench()
    let root = try Self.run(bench.storePath).root
    let path = bench.storePath
    try #require(Self.mount("mount", "--bind", path, path))
    defer { _ = Self.mount("umount", "-l", path) }
    try #require(Self.mount("mount", "-o", "remount,ro,bind", path))
    #expect(try Self.run(path).root == root)
    #expect(try Self.audit(path).isSound)
    let refused = #expect(throws: (any Error).self) {
      if let failure = try Self.run(path, settings: ["pool.genes=[9]"]).failures.first { throw failure.error }
    }
    let refusal = try #require(refused)
    #expect("\(refusal)".contains("Read-only file system"))
  }

  @Test("a clock that is set back changes no stored result")
  func clock() throws {
    let bench = try Bench()
    defer { Timestamp.shift.store(0, ordering: .relaxed) }
    Timestamp.shift.store(86_400, ordering: .relaxed)
    let first = try Self.run(bench.storePath)
    Timestamp.shift.store(-86_400, ordering: .relaxed)
    let second = try Self.run(bench.storePath)
    #expect(second.root == first.root && second.executed == 0)
    let third = try Self.run(bench.storePath, settings: ["pool.genes=[5]"])
    #expect(third.failures.isEmpty && third.executed == 3)
    #expect(try Self.audit(bench.storePath).isSound)
  }

  @Test("a file with a modification time in the future is hashed again")
  func futureFile() throws {
    let bench = try Bench()
    let folder = bench.folder + "/data"
    try Files.makeFolder(folder + "/train")
    let file = folder + "/train/a.txt"
    bench.variables["TEST_DATA"] = folder
    let text = "pipeline: p\nstages:\n  data: { uses: folder }\n"
    func stamped(_ content: String) throws -> Digest? {
      try save(content, to: file)
      var times = [timespec(tv_sec: 4_000_000_000, tv_nsec: 0), timespec(tv_sec: 4_000_000_000, tv_nsec: 0)]
      #expect(utimensat(AT_FDCWD, file, &times, 0) == 0)
      return try bench.run(text).result.root
    }
    let (a, b) = (try stamped("one"), try stamped("two"))
    #expect(a != b)
  }

  @Test("the temporary folder may be on another file system than the store")
  func otherFileSystem() async throws {
    let bench = try Bench()
    let elsewhere = NSTemporaryDirectory() + "elsewhere-\(UInt64.random(in: 0 ... .max))"
    try Files.makeFolder(elsewhere)
    defer { try? Files.remove(elsewhere) }
    let root = try Self.run(try Bench().storePath).root
    await #expect(processExitsWith: .success) { [path = bench.storePath as String, elsewhere = elsewhere as String] in
      setenv("TMPDIR", elsewhere, 1)
      _ = try DiskTests.run(path)
    }
    #expect(try Self.run(bench.storePath).root == root)
    #expect(try Files.list(elsewhere).isEmpty)
  }

  @Test("an audit continues after an unreadable file and lists every stage concerned")
  func unreadable() throws {
    let bench = try Bench()
    try Self.run(bench.storePath)
    let store = try bench.store()
    let records = try store.recordKeys().map { try store.record($0) }
    let weights = try #require(records.first { $0.stage == "pretrain" }?.outputs["weights"])
    let path = store.objectPath(weights)
    FailPoint.failReading(path)
    defer { FailPoint.failReading(nil) }
    let report = try Self.audit(bench.storePath)
    let finding = try #require(report.findings.first { $0.kind == .unreadable })
    #expect(report.findings.filter(\.isProblem).count == 1 && report.records == records.count)
    #expect(path.hasSuffix(finding.path) && finding.message.contains("Input/output error"))
    for stage in ["pretrain", "judge[0]", "judge[1]", "judge[2]"] {
      #expect(finding.message.contains("'\(stage)'"), "\(stage) is hit: \(finding.message)")
    }
    // An unreadable record hides nothing else either.
    FailPoint.failReading(store.recordPath(records[0].key))
    #expect(try Self.audit(bench.storePath).findings.contains { $0.kind == .unreadable })
  }

  @Test("runners in separate processes execute no stage twice")
  func processes() async throws {
    let bench = try Bench()
    let expected = try Self.run(try Bench().storePath)
    let (store, folder, digest) = (bench.storePath, bench.folder, expected.root?.hex ?? "")
    await withTaskGroup(of: Void.self) { group in
      for i in 0..<3 {
        group.addTask {
          await #expect(processExitsWith: .success) {
            [path = store as String, count = "\(folder)/executed-\(i)" as String, root = digest as String] in
            let result = try DiskTests.run(path)
            #expect(result.root?.hex == root)
            try save(String(result.executed), to: count)
          }
        }
      }
    }
    var executed = 0
    for i in 0..<3 {
      executed += try #require(Int(String(contentsOfFile: "\(bench.folder)/executed-\(i)", encoding: .utf8)))
    }
    #expect(executed == expected.executed)
    #expect(try Self.audit(bench.storePath).isSound)
  }
}
