import Determinism
import Foundation
import Synchronization
import Testing

@testable import ArtifactStore
@testable import PipelineModel
@testable import PipelineRunner

/// Adds up random numbers, with a checkpoint every other step; interrupts itself at step 7 if `stops` is set.
private struct Sum: Stage {
  static let name = "sum", version = 1, isRandom = true
  static let outputs = [OutputPort("sum", "json")]
  /// Not shared with other suites, which run at the same time.
  static let stops = Atomic<Bool>(false)
  init(parameters: NoParameters) {}

  func run(in context: StageContext) throws {
    var (step, sum) = (0, UInt64(0))
    if let checkpoint = try context.latestCheckpoint() {
      step = checkpoint.step
      sum = try #require(UInt64(String(contentsOfFile: checkpoint.path, encoding: .utf8)))
    }
    while step < 9 {
      var random = context.seeds.stream("step/\(step)")
      sum &+= random.next() >> 8
      step += 1
      context.recordDigest(step: step, name: "sum", digest: Digest(of: String(sum)))
      if step % 2 == 0 { try context.saveCheckpoint(step: step, of: 9) { try save(String(sum), to: $0) } }
      if step == 7, Sum.stops.load(ordering: .relaxed) { context.interruption.request() }
      try context.checkCancelled()
    }
    try context.write("sum", json: String(sum))
  }
}

@Suite("A checkpoint is used only for the stage, step and program that saved it", .serialized)
struct CheckpointTests {
  private static let text = "pipeline: p\nstages:\n  a: { uses: sum }\n"

  private func makeBench() throws -> Bench {
    let bench = try Bench()
    bench.registry = StageRegistry(kinds: [StageKind(Sum.self)])
    return bench
  }

  /// A store with an interrupted run and its checkpoints of steps 4 and 6.
  private func interrupted(seed: UInt64? = nil) throws -> (bench: Bench, folder: String) {
    let bench = try makeBench()
    Sum.stops.store(true, ordering: .relaxed)
    defer { Sum.stops.store(false, ordering: .relaxed) }
    try bench.run(Self.text, seed: seed)
    let folder = try #require(try Files.list(bench.storePath + "/checkpoints").first)
    return (bench, bench.storePath + "/checkpoints/" + folder)
  }

  /// The outputs and the digest of every step are those of an uninterrupted run.
  private func expectSameAsUninterrupted(_ bench: Bench, _ what: String) throws {
    let whole = try makeBench()
    let root = try whole.run(Self.text).result.root
    #expect(try bench.run(Self.text).result.root == root, "\(what)")
    let (mine, theirs) = (try bench.store(), try whole.store())
    let key = try #require(try theirs.recordKeys().first)
    #expect(try mine.record(key).trace == theirs.record(key).trace, "\(what)")
    #expect(try bench.files("checkpoints").isEmpty, "\(what)")
  }

  @Test("a changed byte in a checkpoint or its checksum file costs steps, never changes the result")
  func changedBytes() throws {
    let (reference, folder) = try interrupted()
    let names = try Files.list(folder)
    #expect(names == ["step-4", "step-4.json", "step-6", "step-6.json"])
    let files = try names.map { (name: $0, bytes: try Files.read("\(folder)/\($0)")) }
    var random = Seeds(kind: "test", seed: 1).stream("flips")
    for round in 0..<60 {
      let bench = try makeBench()
      let place = "\(bench.storePath)/checkpoints/\(folder.splitBytes(at: UInt8(ascii: "/")).last!)"
      _ = try bench.store()
      try Files.makeFolder(place)
      for file in files {
        var bytes = file.bytes
        // The newer one always, the older one every third time.
        if file.name.hasPrefix("step-6") || round % 3 == 0 {
          let i = Int(random.next() % UInt64(bytes.count))
          bytes[i] ^= 1 << UInt8(random.next() % 8)
        }
        try Files.write(bytes, to: "\(place)/\(file.name)")
      }
      try expectSameAsUninterrupted(bench, "round \(round)")
    }
    _ = reference
  }

  @Test("a checkpoint of another seed, step or build of the program is not used")
  func foreign() throws {
    let (_, other) = try interrupted(seed: 8)
    do {
      let (bench, folder) = try interrupted()
      for name in try Files.list(folder) { try Files.remove("\(folder)/\(name)") }
      for name in try Files.list(other) { try Files.write(Files.read("\(other)/\(name)"), to: "\(folder)/\(name)") }
      try expectSameAsUninterrupted(bench, "of another seed")
    }
    do {
      let (bench, folder) = try interrupted()
      for ending in ["", ".json"] { try Files.rename("\(folder)/step-6\(ending)", to: "\(folder)/step-8\(ending)") }
      try expectSameAsUninterrupted(bench, "renamed to a later step")
    }
    do {
      let (bench, folder) = try interrupted()
      for ending in ["", ".json"] {
        try Files.write(Files.read("\(folder)/step-4\(ending)"), to: "\(folder)/step-6\(ending)")
      }
      try expectSameAsUninterrupted(bench, "an earlier checkpoint under the name of a later one")
    }
    do {
      let (bench, folder) = try interrupted()
      let key = try #require(Digest(hex: folder.splitBytes(at: UInt8(ascii: "/")).last!))
      try Files.remove(folder)
      let forged = CheckpointFolder(path: folder, key: key, program: Digest(of: "another build"))
      try forged.save(step: 6, of: 9, trace: Trace()) { try save("12345", to: $0) }
      #expect(try CheckpointFolder(path: folder, key: key).latest { _ in true } == nil)
      try expectSameAsUninterrupted(bench, "of another build")
    }
  }

  @Test("killed at any step of saving one, the one before is still there", arguments: [1, 2, 3, 4, 5, 6, 7, 8, 10, 12])
  func killedWhileSaving(step: Int) async throws {
    let bench = try makeBench()
    let folder = bench.folder + "/checkpoints"
    await #expect(processExitsWith: .signal(SIGKILL)) { [folder = folder as String, step = step as Int] in
      let checkpoints = CheckpointFolder(path: folder, key: Digest(of: "key"), program: Digest(of: "build"))
      for i in 1...3 { try checkpoints.save(step: i, of: 9, trace: Trace()) { try save("state \(i)", to: $0) } }
      FailPoint.arm("\(step)")
      try checkpoints.save(step: 4, of: 9, trace: Trace()) { try save("state 4", to: $0) }
      FailPoint.die()
    }
    let checkpoints = CheckpointFolder(path: folder, key: Digest(of: "key"), program: Digest(of: "build"))
    let (newest, _) = try #require(try checkpoints.latest { _ in true })
    #expect(newest.step == 3 || newest.step == 4)
    #expect(try String(contentsOfFile: newest.path, encoding: .utf8) == "state \(newest.step)")
  }

  @Test("a checkpoint that is not used is reported")
  func warning() throws {
    let (bench, folder) = try interrupted()
    try save("123", to: folder + "/step-6")
    let notices = Recorder()
    let runner = Runner(planner: try bench.planner(Self.text), options: bench.options) { event in
      if case .notice(let text) = event { notices.note(text) }
    }
    _ = try runner.run()
    #expect(notices.notes.count == 1 && notices.notes[0].contains("step-6 is not used: its bytes changed"))
  }
}
