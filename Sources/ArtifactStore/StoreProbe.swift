import Determinism
import Foundation
import Glibc
import PipelineModel
import Synchronization

/// What the file system of a store can do, found by trying it, and what follows.
public struct StoreProbe: Sendable {
  public struct Finding: Sendable {
    public let name: String
    public let text: String
    public var isFine = true
  }

  let store: Store

  public init(store: Store) { self.store = store }

  /// Tries what one machine alone can find.
  /// - Throws: where the store can't be written.
  public func findings() throws -> [Finding] {
    let folder = try store.makeScratch()
    defer { try? Files.remove(folder) }
    let system = FileSystem(of: store.path)
    return [
      Finding(
        name: "file system",
        text: system.name + (system.isLocal ? ", of this machine alone" : ", which other machines may share")),
      try locks(folder), try renames(folder), try links(folder), try syncs(folder), space(),
      Finding(name: "what follows", text: store.isShared ? StoreProbe.sharedAdvice : StoreProbe.localAdvice),
    ]
  }

  private static let sharedAdvice =
    "leases protect keys beside locks, and each machine sweeps its own scratch folders alone. Whether locks reach "
    + "other machines, and how late names are seen, takes two: 'autopanoptic doctor --store DIR --peer' on each"
  private static let localAdvice =
    "the locks of this machine are enough, and leases are not used. Machines that see this folder by a network turn "
    + "them on when they open the store"

  /// Whether two descriptors of one machine exclude each other.
  private func locks(_ folder: String) throws -> Finding {
    let path = folder + "/lock"
    try Files.write([], to: path)
    let (mine, other) = (try LockTrial(path), try LockTrial(path))
    let faults = [
      !mine.takesBytes() ? "no byte ranges" : other.takesBytes() ? "byte ranges exclude nobody" : nil,
      !mine.takesFile() ? "no flock" : other.takesFile() ? "flock excludes nobody" : nil,
    ].compactMap(\.self).joined(separator: ", ")
    if faults.isEmpty { return Finding(name: "locks", text: "processes of this machine see each other's") }
    return Finding(
      name: "locks",
      text: store.isShared
        ? "\(faults): leases alone protect keys, and 'gc' sees no command that executes nothing: run it alone"
        : "\(faults): two runners on this store would do the same work; mount it with locks",
      isFine: store.isShared)
  }

  /// Whether a name that is replaced is there all the time, and whether another one is kept from being replaced.
  private func renames(_ folder: String) throws -> Finding {
    let (name, draft) = (folder + "/name", folder + "/draft")
    try Files.write([0], to: name)
    let watch = NameWatch(name)
    try startThread(named: "watch") { watch.run() }
    for _ in 0..<200 {
      try Files.write([0], to: draft)
      try Files.rename(draft, to: name)
    }
    let missed = watch.end()
    try Files.write([0], to: draft)
    let replaces = try Files.renameIfFree(draft, to: name)
    if missed == 0, !replaces { return Finding(name: "rename", text: "atomic, and visible at once on this machine") }
    return Finding(
      name: "rename",
      text: replaces
        ? "replaces a name that must be free: two runners may overwrite each other's results; use another file system"
        : "a name was missing \(missed) times while it was replaced: readers may fail; use another file system",
      isFine: false)
  }

  private func links(_ folder: String) throws -> Finding {
    let (name, second) = (folder + "/first", folder + "/second")
    try Files.write([0], to: name)
    guard let made = try? Files.linkIfFree(name, to: second) else {
      return Finding(
        name: "link",
        text: store.isShared
          ? "not possible: leases are made by exclusive opens, which this file system must pass to its server"
          : "not possible; nothing on one machine needs it")
    }
    try Files.write([1], to: folder + "/third")
    let isExclusive = try made && !Files.linkIfFree(folder + "/third", to: second)
    return Finding(
      name: "link",
      text: isExclusive ? "makes a name only where none is" : "replaces names: leases would protect nothing",
      isFine: isExclusive)
  }

  /// The middle of twenty times that a small file takes to reach the disk, and a folder.
  private func syncs(_ folder: String) throws -> Finding {
    let clock = ContinuousClock()
    let bytes = [UInt8](repeating: 0x5A, count: 4096)
    var times = [[Duration](), []]
    for i in 0..<20 {
      try Files.write(bytes, to: "\(folder)/sync-\(i)")
      times[0].append(try clock.measure { try Files.sync("\(folder)/sync-\(i)") })
      times[1].append(try clock.measure { try Files.sync(folder) })
    }
    let (file, directory) = (times[0].sorted()[10] / .milliseconds(1), times[1].sorted()[10] / .milliseconds(1))
    // A stage waits for its outputs, their folder, its record and the folder of records, of which some go together.
    let stage = 2 * (file + directory)
    func text(_ milliseconds: Double) -> String { "\(milliseconds.text(digits: 2)) ms" }
    let advice = stage > 50 ? "; let small stages be few, or let several share an element of an array" : ""
    return Finding(
      name: "fsync",
      text: "\(text(file)) for a file of 4 KiB, \(text(directory)) for its folder, so about \(text(stage)) a stage"
        + advice)
  }

  private func space() -> Finding {
    var s = statvfs()
    guard statvfs(store.path, &s) == 0 else { return Finding(name: "space", text: "unknown") }
    let free = UInt64(s.f_bavail).multipliedSaturated(by: UInt64(s.f_frsize)) >> 20
    let inodes = s.f_files == 0 ? "inodes without limit" : "\(s.f_favail) inodes free"
    let isFine = free > 100 && (s.f_files == 0 || s.f_favail > 1000)
    return Finding(
      name: "space", text: "\(free) MiB free, \(inodes)" + (isFine ? "" : ": free some before a run"), isFine: isFine)
  }
}

/// One descriptor of a file, for trying locks.
struct LockTrial {
  private let file: Descriptor

  init(_ path: String) throws { file = try Descriptor.open(path, O_RDWR, "lock") }

  func takesBytes() -> Bool {
    var range = flock()
    range.l_type = Int16(F_WRLCK)
    range.l_whence = Int16(SEEK_SET)
    range.l_len = 1
    let setLock: Int32 = 37  // F_OFD_SETLK
    return fcntl(file.number, setLock, &range) == 0
  }

  func takesFile() -> Bool { flock(file.number, LOCK_EX | LOCK_NB) == 0 }
}

/// Looks for a name all the time, on a thread of its own.
private final class NameWatch: Sendable {
  private let name: String
  private let isOver = Atomic<Bool>(false)
  private let missed = Atomic<Int>(0)
  private let done = DispatchSemaphore(value: 0)

  init(_ name: String) { self.name = name }

  func run() {
    while !isOver.load(ordering: .acquiring) {
      if access(name, F_OK) != 0 { missed.wrappingAdd(1, ordering: .relaxed) }
    }
    done.signal()
  }

  /// How often it was not there.
  func end() -> Int {
    isOver.store(true, ordering: .releasing)
    done.wait()
    return missed.load(ordering: .relaxed)
  }
}
