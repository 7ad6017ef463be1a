import Determinism
import Foundation
import PipelineModel

extension Store {
  /// What processes left that have ended, for `gc`: scratch folders, leases.
  ///
  /// What a process of another machine left is told by its age alone. A living one renews it every half minute.
  /// - Parameter age: seconds after which what another machine left counts as left.
  package func leftovers(olderThan age: Double = 7 * 86400) throws -> [(path: String, reason: String)] {
    lazy var now = fileSystemTime()
    var found = [(path: String, reason: String)]()
    for name in try Files.list(path + "/tmp") {
      switch try scratch.remains(of: name) {
      case .none: continue
      case .certain: found.append(("tmp/\(name)", "left by dead runners"))
      case .unknown:
        guard try now - lastChange(in: "\(path)/tmp/\(name)") > age else { continue }
        found.append(("tmp/\(name)", "left by other machines, untouched for a week"))
      }
      if Files.exists("\(path)/locks/tmp-\(name)") { found.append(("locks/tmp-\(name)", found.last!.reason)) }
    }
    for name in try Files.list(path + "/waves") where try Files.list("\(path)/waves/\(name)").contains("ended") {
      guard try now - lastChange(in: "\(path)/waves/\(name)") > age else { continue }
      found.append(("waves/\(name)", "a wave of jobs that ended a week ago"))
    }
    for name in try Files.list(path + "/leases") {
      let file = "leases/\(name)"
      guard let content = try Lease.read("\(path)/\(file)"), let changed = try change(of: file) else { continue }
      let fate = content.holder?.fate(seenBy: leases.identity) ?? .unknown
      if fate == .dead {
        found.append((file, "left by dead runners"))
      } else if now - changed > age {
        found.append((file, "left by other machines, untouched for a week"))
      }
    }
    return found
  }

  /// - Parameter action: such as `gc`.
  /// - Throws: code `busy` while processes of other machines work on the store, as far as their leases tell.
  package func refuseLiveLeases(_ action: String) throws {
    guard sharing.isOn else { return }
    let now = fileSystemTime()
    for (key, content) in try leases.all() {
      guard content.holder?.fate(seenBy: leases.identity) != .dead,
        let age = try change(of: "leases/\(key.hex)").map({ now - $0 }), age < LeaseTable.Times().limit
      else { continue }
      let holder = content.holder?.description ?? "another process"
      throw PipelineError(
        .busy,
        "\(path)/leases/\(key.hex): \(holder) works on this store, and gave a sign of life \(Int(saturating: age)) s "
          + "ago; '\(action)' does nothing meanwhile. Wait for its end")
    }
  }

  /// Seconds since 1970, by the clock that the file system gives its times from; by this machine's where nothing can be
  /// written.
  private func fileSystemTime() -> Double {
    guard let folder = try? makeScratch() else { return Date().timeIntervalSince1970 }
    defer { try? Files.remove(folder) }
    try? Files.write([], to: folder + "/now")
    return (try? seconds(Files.status(folder + "/now"))) ?? Date().timeIntervalSince1970
  }

  private func change(of file: String) throws -> Double? { try Files.linkStatus("\(path)/\(file)").map(seconds) }

  /// The latest change of a folder or of something in it.
  private func lastChange(in folder: String) throws -> Double {
    try ([folder] + Files.list(folder).map { "\(folder)/\($0)" }).compactMap { try Files.linkStatus($0).map(seconds) }
      .max() ?? 0
  }

  private func seconds(_ status: Files.Status) -> Double { Double(status.changed) / 1e9 }
}
