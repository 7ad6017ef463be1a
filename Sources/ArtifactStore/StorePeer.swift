import Determinism
import Foundation
import Glibc
import PipelineModel

/// What two machines see of each other's work on one store: one waits and holds locks, the other one tries them.
///
/// They talk by files in the folder `doctor-peer` of the store, which are found by listing it, never by name.
public struct StorePeer: Sendable {
  private let folder: String
  private let store: Store
  private let interruption: Interruption
  private let say: @Sendable (String) -> Void

  /// - Parameter say: takes lines for whoever waits.
  public init(store: Store, interruption: Interruption, say: @escaping @Sendable (String) -> Void) {
    folder = store.path + "/doctor-peer"
    (self.store, self.interruption, self.say) = (store, interruption, say)
  }

  /// Waits for the other machine, or tries what it holds: whoever comes first waits.
  /// - Returns: what was found; nothing where the other machine did the looking.
  /// - Throws: `StageInterrupted`; where nobody answers.
  public func findings() throws -> [StoreProbe.Finding] {
    if mkdir(folder, 0o777) == 0 {
      defer { try? Files.remove(folder) }
      try wait()
      return []
    }
    guard errno == EEXIST else { throw Files.failure("make folder", folder) }
    return try look()
  }

  /// Seconds to wait for what the other machine does at once: longer than lists of folders are remembered.
  private static let patience = 150.0

  private func wait() throws {
    try Files.write([0], to: folder + "/size")
    try Files.write([], to: folder + "/lock")
    let lock = try LockTrial(folder + "/lock")
    _ = (lock.takesBytes(), lock.takesFile())
    say("waiting. On another machine: autopanoptic doctor --store \(store.path) --peer")
    try waitFor("request", seconds: .infinity)
    try Files.write([], to: folder + "/new")
    try Files.write([0], to: folder + "/size", append: true)
    try Files.write([], to: folder + "/answer")
    say("the other machine is looking")
    try waitFor("done", seconds: 2 * StorePeer.patience)
    withExtendedLifetime(lock) {}
    say("done; the other machine prints what it found")
  }

  private func look() throws -> [StoreProbe.Finding] {
    // Looked up too early on purpose.
    _ = access(folder + "/new", F_OK)
    _ = try? Files.optionalStatus(folder + "/size")
    try Files.write(Array(ProcessIdentity.current.text.utf8), to: folder + "/request")
    try waitFor("answer", seconds: StorePeer.patience)
    let late = try seconds(until: [
      { access(folder + "/new", F_OK) == 0 }, { (try? Files.optionalStatus(folder + "/size"))?.size == 2 },
    ])
    let lock = try LockTrial(folder + "/lock")
    let findings = [
      locks(passesBytes: !lock.takesBytes(), passesFiles: !lock.takesFile()),
      lateness("names looked up too early", late[0]), lateness("sizes of files that grow", late[1]),
    ]
    try Files.write([], to: folder + "/done")
    return findings
  }

  private func locks(passesBytes: Bool, passesFiles: Bool) -> StoreProbe.Finding {
    let text =
      switch (passesBytes, passesFiles) {
      case (true, true): "each machine sees the other's: 'gc' waits for commands on all of them"
      case (false, false):
        "no machine sees the other's: leases protect keys, and 'gc' is to run when no other machine uses the store"
      case (true, false): "byte ranges are seen, flock is not: 'gc' is to run when no other machine uses the store"
      case (false, true): "flock is seen, byte ranges are not: leases protect keys"
      }
    return StoreProbe.Finding(name: "locks between machines", text: text, isFine: store.isShared || passesBytes)
  }

  private func lateness(_ name: String, _ seconds: Double?) -> StoreProbe.Finding {
    guard let seconds else {
      return StoreProbe.Finding(
        name: name,
        text: "not seen after \(Int(StorePeer.patience)) s; workers wait for 90 s, so mount it otherwise "
          + "(NFS: acregmax, acdirmax; Lustre and BeeGFS have no such delay)", isFine: false)
    }
    let text = seconds < 0.5 ? "seen at once" : "seen \(seconds.text(digits: 2)) s late"
    return StoreProbe.Finding(
      name: name, text: seconds <= NameWait.limit ? text : text + ", and workers wait for 90 s",
      isFine: seconds <= NameWait.limit)
  }

  /// Seconds until each of several things is so; nil of one that is not in time.
  private func seconds(until things: [() -> Bool]) throws -> [Double?] {
    let begin = LeaseTable.uptime
    var times = [Double?](repeating: nil, count: things.count)
    while times.contains(nil), LeaseTable.uptime - begin < StorePeer.patience {
      for (i, isSo) in things.enumerated() where times[i] == nil && isSo() { times[i] = LeaseTable.uptime - begin }
      if interruption.isRequested { throw StageInterrupted() }
      Thread.sleep(forTimeInterval: 0.05)
    }
    return times
  }

  /// Waits for a file of the other machine.
  private func waitFor(_ name: String, seconds: Double) throws {
    let end = LeaseTable.uptime + seconds
    while try !Files.list(folder).contains(name) {
      if interruption.isRequested { throw StageInterrupted() }
      guard LeaseTable.uptime < end else {
        throw PipelineError(
          .busy,
          "\(folder): nobody answers. Is it left from a command that was killed? Remove it, and start on both machines")
      }
      Thread.sleep(forTimeInterval: 0.1)
    }
  }
}
