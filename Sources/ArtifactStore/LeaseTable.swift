import Determinism
import Foundation
import PipelineModel
import Synchronization

/// The leases of a store: takes them, renews those of this process, and watches those of others.
///
/// A store on the disk of one machine needs none: there the locks of its kernel are enough.
final class LeaseTable: Sendable {
  struct Times: Sendable {
    /// Seconds between two renewals.
    var renewal = 30.0
    /// Seconds without one after which a lease counts for nothing, by the clock of whoever watches.
    var limit = 300.0
    /// Seconds between two looks at a lease that somebody else holds.
    var look = 1.0
  }

  let folder: String
  let identity: ProcessIdentity
  private let times: Times
  /// Seconds; only differences count.
  private let clock: @Sendable () -> Double
  /// Called at each renewal.
  private let renewed: @Sendable () -> Void
  private let state = Mutex(State())

  private struct Watch {
    var nonce: String
    var counter: UInt64
    /// When the counter was seen to move.
    var since: Double
    var looked: Double
  }

  private struct Held { weak var lease: Lease? }

  private struct State {
    var watches: [Digest: Watch] = [:]
    var held: [Held] = []
    var isRenewing = false
  }

  init(
    folder: String, identity: ProcessIdentity, times: Times = Times(),
    clock: @escaping @Sendable () -> Double = { LeaseTable.uptime }, renewed: @escaping @Sendable () -> Void = {}
  ) {
    (self.folder, self.identity, self.times, self.clock) = (folder, identity, times, clock)
    self.renewed = renewed
  }

  /// Seconds since the system started, which nobody sets.
  static var uptime: Double {
    var now = timespec()
    clock_gettime(CLOCK_MONOTONIC, &now)
    return Double(now.tv_sec) + Double(now.tv_nsec) / 1e9
  }

  func path(_ key: Digest) -> String { "\(folder)/\(key.hex)" }

  /// Takes the lease of a key, also from somebody who counts as dead.
  /// - Parameter isLocked: whether the caller has the kernel's lock of the key. Where not, somebody of this machine
  ///   works on the key, or has stopped without an end: only a lease says which.
  /// - Returns: nil where somebody holds it.
  func acquire(_ key: Digest, isLocked: Bool) throws -> Lease? {
    let path = path(key)
    if let last = state.withLock({ $0.watches[key]?.looked }), clock() - last < times.look { return nil }
    for _ in 0..<3 {
      if isLocked, let lease = try Lease.create(path, for: identity) { return try keep(lease, key) }
      guard let content = try Lease.read(path) else {
        if isLocked { continue }
        return nil
      }
      guard isOver(content, of: key) else { return nil }
      try Lease.remove(path, nonce: content.nonce)
      if !isLocked, let lease = try Lease.create(path, for: identity) { return try keep(lease, key) }
    }
    return nil
  }

  /// Whether a lease counts for nothing: its process has ended, its job was started again, or it was not renewed for
  /// too long.
  private func isOver(_ content: Lease.Content, of key: Digest) -> Bool {
    let now = clock()
    let isStale = state.withLock { state in
      guard var watch = state.watches[key], watch.nonce == content.nonce, watch.counter == content.counter else {
        state.watches[key] = Watch(nonce: content.nonce, counter: content.counter, since: now, looked: now)
        return false
      }
      watch.looked = now
      state.watches[key] = watch
      return now - watch.since >= times.limit
    }
    if isStale { return true }
    guard let holder = content.holder else { return false }
    return holder.fate(seenBy: identity) == .dead || holder.isSuperseded(by: identity)
  }

  private func keep(_ lease: Lease, _ key: Digest) throws -> Lease {
    let starts = state.withLock { state in
      state.watches[key] = nil
      state.held.removeAll { $0.lease == nil }
      state.held.append(Held(lease: lease))
      defer { state.isRenewing = true }
      return !state.isRenewing
    }
    guard starts else { return lease }
    do {
      try startThread(named: "leases") { [weak self, renewal = times.renewal] in
        repeat { Thread.sleep(forTimeInterval: renewal) } while self?.renew() ?? false
      }
    } catch {
      state.withLock { $0.isRenewing = false }
      throw error
    }
    return lease
  }

  /// Renews all leases that are held.
  /// - Returns: whether there are any; where not, the next one starts the thread that renews again.
  @discardableResult
  func renew() -> Bool {
    let leases = state.withLock { state in
      state.held.removeAll { $0.lease == nil }
      if state.held.isEmpty { state.isRenewing = false }
      return state.held.compactMap(\.lease)
    }
    leases.forEach { $0.renew() }
    if !leases.isEmpty { renewed() }
    return !leases.isEmpty
  }

  /// Takes away the leases of dead processes of this machine.
  func sweep() throws {
    for (key, content) in try all() where content.holder?.fate(seenBy: identity) == .dead {
      try Lease.remove(path(key), nonce: content.nonce)
    }
  }

  /// The leases that are there, by key.
  func all() throws -> [(key: Digest, content: Lease.Content)] {
    try Files.list(folder).compactMap { name in
      guard let key = Digest(hex: name), let content = try Lease.read(path(key)) else { return nil }
      return (key, content)
    }
  }
}
