import Synchronization

/// Threads that are divided among pieces of work side by side. What ends leaves its threads to the others, so a share
/// grows while its holder works. No result depends on it: loops are cut by shape.
public final class ThreadShares: Sendable {
  /// The part of one piece of work.
  public final class Share: Sendable {
    fileprivate let most: Int
    private let current: Atomic<Int>

    fileprivate init(most: Int) {
      self.most = most
      current = Atomic(1)
    }

    /// How many threads a loop may use that starts now; at least 1.
    public fileprivate(set) var threads: Int {
      get { current.load(ordering: .relaxed) }
      set { current.store(newValue, ordering: .relaxed) }
    }
  }

  private let total: @Sendable () -> Int
  private let members = Mutex<[Share]>([])

  /// - Parameter total: the threads that there are. It is asked whenever a piece of work begins or ends.
  public init(total: @escaping @Sendable () -> Int) { self.total = total }

  /// Begins a piece of work.
  /// - Parameter most: threads that it can use at most.
  public func join(atMost most: Int = .max) -> Share {
    precondition(most >= 1, "ThreadShares: a share of at most \(most)")
    let share = Share(most: most)
    members.withLock { members in
      members.append(share)
      divide(among: members)
    }
    return share
  }

  /// Ends a piece of work. A second time changes nothing.
  public func leave(_ share: Share) {
    members.withLock { members in
      members.removeAll { $0 === share }
      divide(among: members)
    }
  }

  /// Equal shares, the larger ones first; what a member can't use goes to the others.
  private func divide(among members: [Share]) {
    var threads = total()
    let modest = members.filter { $0.most < .max }.sorted { $0.most < $1.most }
    for (done, member) in (modest + members.filter { $0.most == .max }).enumerated() {
      let left = members.count - done
      member.threads = max(1, min(member.most, (threads + left - 1) / left))
      threads -= member.threads
    }
  }
}
