import Determinism
import Foundation
import Synchronization
import Testing

@testable import ArtifactStore
@testable import PipelineModel
@testable import PipelineRunner
@testable import Provenance

/// A clock that a test sets.
private final class TestClock: Sendable {
  private let seconds = Mutex(1000.0)
  var now: Double { seconds.withLock { $0 } }
  func pass(_ duration: Double) { seconds.withLock { $0 += duration } }
}

/// Saves two checkpoints and then does what the test wants.
private struct Visited: Stage {
  static let name = "visited", version = 1, isRandom = true
  static let outputs = [OutputPort("sum", "json")]
  static let visit = Mutex<(@Sendable (StageContext) throws -> Void)?>(nil)
  init(parameters: NoParameters) {}

  func run(in context: StageContext) throws {
    let start = try context.latestCheckpoint()?.step ?? 0
    for step in start..<4 {
      try context.saveCheckpoint(step: step + 1, of: 4) { try save("state \(step + 1)", to: $0) }
      if step == 1 { try Visited.visit.withLock { $0 }?(context) }
    }
    try context.write("sum", json: "done")
  }
}

@Suite("Machines that share a store, with locks that reach no other machine", .serialized)
struct SharedStoreTests {
  private static let key = Digest(of: "a key")

  /// A process that no other one can look at: of another machine.
  private func elsewhere(_ host: String, job: String? = nil, restart: Int = 0) -> ProcessIdentity {
    var identity = ProcessIdentity.current
    (identity.host, identity.job, identity.restart) = (host, job, restart)
    return identity
  }

  private func table(_ bench: Bench, _ identity: ProcessIdentity, _ clock: TestClock = TestClock()) throws -> LeaseTable
  {
    try Files.makeFolder(bench.folder + "/leases")
    return LeaseTable(folder: bench.folder + "/leases", identity: identity, clock: { clock.now })
  }

  // MARK: who is who

  @Test("what a process is called says whose it is, and whether it lives")
  func identities() throws {
    let me = ProcessIdentity.current
    #expect(ProcessIdentity(text: me.text) == me)
    #expect(me.fate(seenBy: me) == .alive)
    let job = elsewhere("n1", job: "17_3", restart: 2)
    #expect(ProcessIdentity(text: job.text) == job)
    #expect(job.fate(seenBy: me) == .unknown)
    #expect(elsewhere("n1", job: "17_3", restart: 1).isSuperseded(by: job))
    #expect(!elsewhere("n1", job: "17_4", restart: 1).isSuperseded(by: job) && !job.isSuperseded(by: job))
    var other = me
    other.start += 1
    #expect(other.fate(seenBy: me) == .dead, "its number was given to another process")
    other = me
    other.boot = "ffffffff"
    #expect(other.fate(seenBy: me) == .dead, "the machine was started again")
    other = me
    other.space = "1"
    #expect(other.fate(seenBy: me) == .unknown, "a container with numbers of its own")
    for text in ["", "n1", "0123456789abcdef", me.text + ".x", me.text.replacingOccurrences(of: me.host, with: "")] {
      #expect(ProcessIdentity(text: text) == nil, "\(text)")
    }
  }

  // MARK: leases

  @Test("one machine has a lease at a time, and the next one gets it when it is given back")
  func exclusion() throws {
    let bench = try Bench()
    let clock = TestClock()
    let (a, b) = (try table(bench, elsewhere("n1")), try table(bench, elsewhere("n2"), clock))
    let first = try #require(try a.acquire(Self.key, isLocked: true))
    #expect(try b.acquire(Self.key, isLocked: true) == nil)
    first.release()
    #expect(try b.acquire(Self.key, isLocked: true) == nil, "not looked at again within a second")
    clock.pass(1)
    let second = try #require(try b.acquire(Self.key, isLocked: true))
    #expect(second.isHeld && !first.isHeld)
    // Who has lost it takes nothing away.
    first.release()
    #expect(second.isHeld)
    second.release()
    #expect(try Files.list(bench.folder + "/leases").isEmpty)
  }

  @Test("a lease counts for nothing once it was not renewed for five minutes of the clock of who watches")
  func staleness() throws {
    let bench = try Bench()
    let clock = TestClock()
    let (a, b) = (try table(bench, elsewhere("n1")), try table(bench, elsewhere("n2"), clock))
    let first = try #require(try a.acquire(Self.key, isLocked: true))
    for _ in 0..<20 {
      #expect(try b.acquire(Self.key, isLocked: true) == nil)
      clock.pass(250)
      a.renew()
    }
    #expect(try b.acquire(Self.key, isLocked: true) == nil)
    clock.pass(299)
    #expect(try b.acquire(Self.key, isLocked: true) == nil)
    clock.pass(1)
    let second = try #require(try b.acquire(Self.key, isLocked: true))
    #expect(!first.isHeld && second.isHeld)
    // What the first one goes on to write is a file without a name.
    a.renew()
    #expect(second.isHeld && first.successor == elsewhere("n2").description)
  }

  @Test("a job that was started again, and a process that has ended, are not waited for")
  func knownEnds() throws {
    let bench = try Bench()
    let first = try #require(
      try table(bench, elsewhere("n1", job: "17_3")).acquire(Self.key, isLocked: true))
    #expect(try table(bench, elsewhere("n2", job: "18_3", restart: 1)).acquire(Self.key, isLocked: true) == nil)
    // Although the kernel says that somebody of this machine has the key: the frozen process that was superseded.
    let second = try #require(
      try table(bench, elsewhere("n2", job: "17_3", restart: 1)).acquire(Self.key, isLocked: false))
    #expect(!first.isHeld && second.isHeld)
    second.release()
    var dead = ProcessIdentity.current
    dead.start += 1
    let third = try #require(try table(bench, dead).acquire(Self.key, isLocked: true))
    let fourth = try #require(try table(bench, .current).acquire(Self.key, isLocked: true))
    #expect(!third.isHeld && fourth.isHeld)
  }

  @Test("without a lease, the kernel's lock of the same machine counts")
  func locksOfOthers() throws {
    let bench = try Bench()
    #expect(try table(bench, .current).acquire(Self.key, isLocked: false) == nil)
    #expect(try Files.list(bench.folder + "/leases").isEmpty)
  }

  @Test("who takes away a lease that was replaced meanwhile puts it back")
  func removal() throws {
    let bench = try Bench()
    let lease = try #require(try table(bench, elsewhere("n1")).acquire(Self.key, isLocked: true))
    try Lease.remove(lease.path, nonce: "of the one before")
    #expect(lease.isHeld)
    try Lease.remove(lease.path, nonce: lease.nonce)
    #expect(!lease.isHeld)
    try Lease.remove(lease.path, nonce: lease.nonce)
    #expect(try Files.list(bench.folder + "/leases").isEmpty)
  }

  @Test("the batch system's word that a job has ended frees its keys, and no others")
  func endedJobs() throws {
    let bench = try Bench()
    let store = try bench.store()
    try store.share()
    let leases = LeaseTable(folder: bench.storePath + "/leases", identity: elsewhere("n1", job: "17_3"))
    let lease = try #require(try leases.acquire(Self.key, isLocked: true))
    try store.endLeases(of: [Self.key, Digest(of: "another")], job: "17_4")
    #expect(lease.isHeld)
    try store.endLeases(of: [Self.key, Digest(of: "another")], job: "17_3")
    #expect(!lease.isHeld)
  }

  // MARK: scratch folders

  @Test("each machine sweeps what its own dead processes left, and nothing of others")
  func sweeping() throws {
    let bench = try Bench()
    try bench.store().share()
    let remote = try Store(path: bench.storePath, registry: bench.registry, identity: elsewhere("n1"))
    let theirs = try remote.makeScratch()
    // Their lock is not seen here.
    for name in try Files.list(bench.storePath + "/locks") { try Files.remove("\(bench.storePath)/locks/\(name)") }
    var dead = ProcessIdentity.current
    dead.start += 1
    let left = "\(bench.storePath)/tmp/\(dead.text).01234567"
    try Files.makeFolder(left)
    let mine = try bench.store()
    let living = try mine.makeScratch()
    try mine.sweep()
    try bench.store().sweep()
    #expect(Files.exists(theirs) && Files.exists(living) && !Files.exists(left))
    #expect(try GarbageCollector(store: mine).find().items.isEmpty)
    withExtendedLifetime(remote) {}
  }

  @Test("gc removes what another machine left a week ago")
  func leftovers() throws {
    let bench = try Bench()
    let store = try bench.store()
    try store.share()
    let names = ["tmp/\(elsewhere("n1").text).01234567", "leases/\(Self.key.hex)"]
    try Files.makeFolder("\(bench.storePath)/\(names[0])")
    try Files.write(
      Lease.Content(counter: 7, nonce: "0123", holder: elsewhere("n1")).bytes, to: "\(bench.storePath)/\(names[1])")
    #expect(try store.leftovers().isEmpty)
    let later = try store.leftovers(olderThan: -1)
    #expect(later.map(\.path) == names && later.allSatisfy { $0.reason.contains("other machines") })
  }

  @Test("gc and repair do nothing while a wave or a lease of another machine lives")
  func refusals() throws {
    let bench = try Bench()
    try bench.run(TestPipelines.search)
    let store = try bench.store()
    try store.share()
    let wave = bench.storePath + "/waves/0123"
    try Files.makeFolder(wave)
    #expect(try store.liveWaves() == ["0123"])
    let gc = #expect(throws: PipelineError.self) { try GarbageCollector(store: store).collect { [] } }
    #expect(gc?.code == .busy && gc?.message.contains("waves/0123") == true)
    let repair = #expect(throws: PipelineError.self) {
      try Reexecution(store: store, variables: [:], options: RunOptions()).repair()
    }
    #expect(repair?.code == .busy)
    try Files.write([], to: wave + "/ended")
    #expect(try store.liveWaves().isEmpty)
    let leases = LeaseTable(folder: bench.storePath + "/leases", identity: elsewhere("n1", job: "17_3"))
    let lease = try #require(try leases.acquire(Self.key, isLocked: true))
    let busy = #expect(throws: PipelineError.self) { try GarbageCollector(store: store).collect { [] } }
    #expect(busy?.message.contains("on n1 (job 17_3) works on this store") == true, "\(String(describing: busy))")
    lease.release()
    #expect(try GarbageCollector(store: store).collect { [] }.items.isEmpty)
  }

  // MARK: checkpoints

  @Test("two that both take themselves for the holder save side by side, and the new one takes over the newest state")
  func checkpoints() throws {
    let bench = try Bench()
    func folder(_ nonce: String) -> CheckpointFolder {
      CheckpointFolder(path: bench.folder + "/checkpoints", key: Self.key, nonce: nonce)
    }
    func save(_ folder: CheckpointFolder, _ step: Int, _ text: String) throws {
      try folder.save(step: step, of: 9, trace: Trace()) { try Files.write(Array(text.utf8), to: $0) }
    }
    let first = folder("1")
    for step in 1...3 { try save(first, step, "first \(step)") }
    let second = folder("2")
    let taken = try #require(try second.latest { _ in true }?.0)
    #expect(taken.step == 3 && taken.path.hasPrefix(bench.folder + "/checkpoints/2/"))
    // The first one lives after all, and replaces and removes its own.
    for step in 4...6 { try save(first, step, "first \(step)") }
    #expect(try Files.read(taken.path) == Array("first 3".utf8))
    try save(second, 4, "second 4")
    #expect(try Files.list(bench.folder + "/checkpoints") == ["1", "2"])
    #expect(try Files.list(bench.folder + "/checkpoints/1") == ["step-5", "step-5.json", "step-6", "step-6.json"])
    #expect(try Files.list(bench.folder + "/checkpoints/2") == ["step-3", "step-3.json", "step-4", "step-4.json"])
    #expect(second.position()?.step == 6)
    // A damaged one is passed over for that of another folder.
    try Files.remove(bench.folder + "/checkpoints/1/step-6")
    try Files.write(Array("first 7".utf8), to: bench.folder + "/checkpoints/1/step-6")
    #expect(try folder("3").latest { _ in true }?.0.step == 5)
    // What somebody left who has stopped goes with the first checkpoint of the next.
    first.leave()
    try save(second, 5, "second 5")
    #expect(try !Files.list(bench.folder + "/checkpoints").contains("1"))
  }

  // MARK: executions

  private func makeBench() throws -> Bench {
    let bench = try Bench()
    bench.registry = StageRegistry(kinds: [StageKind(Visited.self)])
    try bench.store().share()
    return bench
  }

  private static let text = "pipeline: p\nstages:\n  a: { uses: visited }\n"

  /// Does what another machine does that found no sign of life.
  @Sendable private static func takeOver(_ store: String) throws -> Lease {
    var other = ProcessIdentity.current
    other.host = "n2"
    let key = try #require(try Files.list(store + "/leases").compactMap { Digest(hex: $0) }.first)
    let path = "\(store)/leases/\(key.hex)"
    try Lease.remove(path, nonce: try #require(try Lease.read(path)).nonce)
    return try #require(try Lease.create(path, for: other))
  }

  @Test("a worker that lost its lease stops at the next checkpoint, and stores nothing")
  func fencedWorker() throws {
    let bench = try makeBench()
    defer { Visited.visit.withLock { $0 = nil } }
    let order = try #require(try self.order(bench))
    let taken = Mutex<Lease?>(nil)
    Visited.visit.withLock { [store = bench.storePath] in
      $0 = { _ in
        let lease = try Self.takeOver(store)
        taken.withLock { $0 = lease }
      }
    }
    let worker = Worker(store: try Store(workerAt: bench.storePath, registry: bench.registry))
    let end = Mutex<Result<WorkOutcome, any Error>?>(nil)
    worker.run(order) { event in if case .ended(let result) = event { end.withLock { $0 = result } } }
    let error = #expect(throws: PipelineError.self) { try end.withLock { $0 }?.get() }
    #expect(error?.code == .leaseLost && error?.message.contains("on n2") == true, "\(String(describing: error))")
    #expect(try bench.store().recordKeys().isEmpty && bench.files("objects").isEmpty)
    // What it saved before stays, for the next holder.
    #expect(try bench.files("checkpoints").contains { $0.hasSuffix("step-2") })
    taken.withLock { $0?.release() }
    Visited.visit.withLock { $0 = nil }
    worker.run(order) { event in if case .ended(let result) = event { end.withLock { $0 = result } } }
    guard case .executed? = try end.withLock({ $0 })?.get() else {
      Issue.record("not executed")
      return
    }
    #expect(try bench.store().recordKeys() == [order.key])
    #expect(try bench.files("checkpoints").isEmpty && Files.list(bench.storePath + "/leases").isEmpty)
  }

  @Test("a runner that lost its lease waits for the result of whoever has it")
  func fencedRunner() throws {
    let reference = try makeBench().run(Self.text).result.root
    let bench = try makeBench()
    defer { Visited.visit.withLock { $0 = nil } }
    Visited.visit.withLock { [store = bench.storePath] in
      $0 = { _ in
        let lease = try Self.takeOver(store)
        // The other one gives up soon, without a result.
        Visited.visit.withLock { $0 = nil }
        Thread.detachNewThread {
          Thread.sleep(forTimeInterval: 0.3)
          lease.release()
        }
      }
    }
    let (result, executed) = try bench.run(Self.text)
    #expect(result.root == reference && executed == ["a", "a"])
    #expect(try bench.audit().findings.isEmpty)
  }

  private func order(_ bench: Bench) throws -> WorkOrder? {
    let planner = try bench.planner(Self.text)
    let taken = Mutex<WorkOrder?>(nil)
    let executor = OrderTaker { order in taken.withLock { $0 = order } }
    _ = try Runner(planner: planner, options: bench.options, executor: executor).run()
    return taken.withLock { $0 }
  }

  @Test("a worker reads and writes no index; who ordered hears of the result and adds it")
  func workerIndex() throws {
    let bench = try makeBench()
    let order = try #require(try self.order(bench))
    let index = try Files.read(bench.storePath + "/index")
    let ordering = try bench.store()
    let worker = Worker(store: try Store(workerAt: bench.storePath, registry: bench.registry))
    worker.run(order) { _ in }
    #expect(try Files.read(bench.storePath + "/index") == index)
    #expect(ordering.index.entry(order.key) == nil)
    let outputs = try ordering.announcedOutputs(of: order.key)
    #expect(try ordering.index.entry(order.key)?.outputs == outputs && bench.store().index.entry(order.key) != nil)
    #expect(try bench.run(Self.text).executed == [])
  }

  @Test("a worker waits for what it must find, and says which store it does not find")
  func waiting() throws {
    let bench = try Bench()
    let path = bench.folder + "/late"
    Thread.detachNewThread {
      Thread.sleep(forTimeInterval: 0.2)
      try? Files.write([], to: path)
    }
    try NameWait.wait(for: [bench.folder, path], seconds: 60)
    let missing = #expect(throws: PipelineError.self) {
      try NameWait.wait(for: [bench.folder + "/never"], seconds: 0.1)
    }
    #expect(missing?.message.contains("/never") == true)
    #expect(throws: StageInterrupted.self) {
      try NameWait.wait(for: [bench.folder + "/never"], seconds: 60) { false }
    }
  }

  @Test("a stale handle of a network file system is tried again")
  func staleHandles() throws {
    var tries = 0
    let value = try NameWait.patiently(seconds: 60) {
      tries += 1
      if tries < 3 { throw Files.failure("read", "/nfs/file", ESTALE) }
      return tries
    }
    #expect(value == 3)
    #expect(throws: PipelineError.self) {
      try NameWait.patiently(seconds: 60) { throw Files.failure("read", "/nfs/file", EIO) }
    }
  }

  @Test("a name is taken once, by a file or a folder, and whoever asks again for his own has it")
  func names() throws {
    let bench = try Bench()
    let (a, b, name) = (bench.folder + "/a", bench.folder + "/b", bench.folder + "/name")
    try Files.write([1], to: a)
    try Files.write([2], to: b)
    #expect(try Files.linkIfFree(a, to: name) && Files.linkIfFree(a, to: name) && !Files.linkIfFree(b, to: name))
    #expect(try !Files.renameIfFree(b, to: name) && Files.read(name) == [1])
    for folder in [bench.folder + "/one", bench.folder + "/two"] { try Files.makeFolder(folder + "/in") }
    #expect(try Files.renameIfFree(bench.folder + "/one", to: bench.folder + "/tree"))
    #expect(try !Files.renameIfFree(bench.folder + "/two", to: bench.folder + "/tree"))
    let gone = #expect(throws: PipelineError.self) { try Files.rename(bench.folder + "/one", to: name) }
    #expect(gone?.code == .io)
  }

  @Test("what doctor tries of a store holds on this machine")
  func probe() throws {
    let bench = try Bench()
    let findings = try StoreProbe(store: bench.store()).findings()
    #expect(
      findings.map(\.name) == ["file system", "locks", "rename", "link", "fsync", "space", "what follows"])
    let wrong = findings.filter { $0.name != "space" && !$0.isFine }
    #expect(wrong.isEmpty, "\(findings)")
  }

  @Test("two commands of doctor find what one machine sees of the other")
  func peers() throws {
    let bench = try Bench()
    let store = try bench.store()
    let heard = Recorder()
    let first = Mutex<Result<[StoreProbe.Finding], any Error>?>(nil)
    Thread.detachNewThread {
      let peer = StorePeer(store: store, interruption: Interruption()) { heard.note($0) }
      let result = Result { try peer.findings() }
      first.withLock { $0 = result }
    }
    while heard.notes.isEmpty { Thread.sleep(forTimeInterval: 0.01) }
    let found = try StorePeer(store: store, interruption: Interruption()) { _ in }.findings()
    #expect(found.map(\.name) == ["locks between machines", "names looked up too early", "sizes of files that grow"])
    #expect(found.allSatisfy { $0.isFine } && found[0].text.contains("each machine sees the other's"), "\(found)")
    while first.withLock({ $0 == nil }) { Thread.sleep(forTimeInterval: 0.01) }
    #expect(try first.withLock { $0! }.get().isEmpty && !Files.exists(bench.storePath + "/doctor-peer"))
  }
}

/// Takes orders and executes nothing.
private struct OrderTaker: Executor {
  let capacity = 1
  let take: @Sendable (WorkOrder) -> Void

  func submit(_ order: WorkOrder, report: @escaping @Sendable (WorkEvent) -> Void) throws {
    take(order)
    report(.ended(.failure(StageInterrupted())))
  }

  func cancel() {}
}
