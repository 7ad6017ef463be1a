import Determinism
import Glibc
import PipelineModel
import Synchronization

/// Whether several machines may work on a store. Once on, it stays on.
final class Sharing: Sendable {
  private let flag: Atomic<Bool>

  init(_ isOn: Bool) { flag = Atomic(isOn) }

  var isOn: Bool { flag.load(ordering: .acquiring) }

  func turnOn() { flag.store(true, ordering: .releasing) }
}

extension Store {
  /// Whether keys are protected by leases, beside the locks of the kernel.
  ///
  /// That is so in any store that does not lie on a disk of this machine alone, whether the file system passes locks on
  /// or not: to tell which of the machines do takes two of them, while a lease costs four small operations a stage,
  /// which is little where the store is reached by a network. On a local disk, locks alone are a part of that and exact.
  public var isShared: Bool { sharing.isOn }

  /// Prepares a store for several machines, for good: leases, and all folders of objects. A machine remembers for up to
  /// a minute that a folder was missing; of one that was always there it knows.
  ///
  /// Called for stores on network file systems when they are opened, and by executors of clusters: the machine that
  /// exports a disk to others sees a local one.
  package func share() throws {
    guard !isObserved, !sharing.isOn else { return }
    for byte in 0...255 {
      let digits = String(byte, radix: 16)
      try Files.makeFolder("\(path)/objects/\(digits.count == 1 ? "0" : "")\(digits)")
    }
    // Last: its being there is the mark.
    try Files.makeFolder("\(path)/leases")
    try Files.sync(path)
    sharing.turnOn()
  }

  /// Waves that executors gave to a cluster and that have not ended, as far as the store knows: `waves/<wave>` without
  /// a file `ended`.
  package func liveWaves() throws -> [String] {
    try Files.list("\(path)/waves").filter { try !Files.list("\(path)/waves/\($0)").contains("ended") }
  }

  /// - Parameter action: such as `gc`.
  /// - Throws: code `busy` while waves may run.
  package func refuseLiveWaves(_ action: String) throws {
    let waves = try liveWaves()
    guard let first = waves.first else { return }
    let more = waves.count > 1 ? " and \(waves.count - 1) more" : ""
    throw PipelineError(
      .busy,
      "\(path)/waves/\(first)\(more): jobs of a cluster may still work on this store, so '\(action)' does nothing. "
        + "Run the pipeline again, which adopts them, or cancel them; if none is left, remove these folders")
  }

  /// Takes away the leases that jobs left which have ended, by the word of the batch system: nobody waits for them.
  /// - Parameters:
  ///   - keys: whose leases to look at.
  ///   - job: such as `17` or `17_3`.
  package func endLeases(of keys: some Sequence<Digest>, job: String) throws {
    guard sharing.isOn else { return }
    for key in keys {
      if let content = try Lease.read(leases.path(key)), content.holder?.job == job {
        try Lease.remove(leases.path(key), nonce: content.nonce)
      }
    }
  }
}
