import Determinism
import Foundation

/// A team whose members are threads of one process: what a real one does, without its machinery.
public struct ThreadTeam: Team {
  public let rank: Int
  private let post: Post

  public var size: Int { post.size }

  /// Runs `body` as every member of a team, and returns how each ended, by rank.
  ///
  /// A member whose body throws fails, so that none waits for it.
  public static func run<R: Sendable>(
    _ size: Int, _ body: @escaping @Sendable (ThreadTeam) throws -> R
  ) -> [Result<R, any Error>] {
    let post = Post(size: size)
    let results = Results<R>(count: size)
    let group = DispatchGroup()
    for rank in 0..<size {
      group.enter()
      try! startThread(named: "rank \(rank)", stackBytes: 64 << 20) {
        let team = ThreadTeam(rank: rank, post: post)
        let result = Result { try body(team) }
        if case .failure(let error) = result {
          team.fail(error as? TeamFailure ?? TeamFailure(rank: rank, size: size, reason: "\(error)"))
        }
        results.set(result, rank)
        group.leave()
      }
    }
    group.wait()
    return results.all
  }

  public func start(sends: [TeamMessage], receipts: [TeamMessage]) -> any TeamTransfer {
    for message in sends { post.send(Array(message.bytes), from: rank, to: message.peer) }
    return Arrival(post: post, expected: receipts.map { ($0, post.expect(from: $0.peer, to: rank)) })
  }

  public func fail(_ failure: TeamFailure) { post.fail(failure) }

  public var failure: TeamFailure? { post.knownFailure }

  private struct Arrival: TeamTransfer {
    let post: Post
    let expected: [(message: TeamMessage, letter: Post.Letter)]

    func wait() throws {
      for (message, letter) in expected {
        let bytes = try post.take(letter)
        precondition(bytes.count <= message.range.count, "ThreadTeam: \(bytes.count) bytes for \(message.range)")
        bytes.withUnsafeBytes { message.bytes.copyMemory(from: $0) }
      }
    }
  }

  private final class Results<R: Sendable>: @unchecked Sendable {
    // Invariant: touched under `lock`.
    private let lock = NSLock()
    private var results: [Result<R, any Error>?]

    init(count: Int) { results = Array(repeating: nil, count: count) }

    func set(_ result: Result<R, any Error>, _ rank: Int) { lock.withLock { results[rank] = result } }
    var all: [Result<R, any Error>] { lock.withLock { results.map { $0! } } }
  }

  /// The letters on their way. Those of a pair of members are numbered by both in the order of their transfers.
  private final class Post: @unchecked Sendable {
    // Invariant: everything mutable is touched only under `condition`.
    struct Letter: Hashable {
      let from: Int
      let to: Int
      let number: Int
    }

    private let condition = NSCondition()
    let size: Int
    private var letters: [Letter: [UInt8]] = [:]
    private var sent: [Int]
    private var expected: [Int]
    private var failure: TeamFailure?

    init(size: Int) {
      self.size = size
      sent = Array(repeating: 0, count: size * size)
      expected = sent
    }

    func send(_ bytes: [UInt8], from: Int, to: Int) {
      condition.withLock {
        letters[Letter(from: from, to: to, number: sent[from * size + to])] = bytes
        sent[from * size + to] += 1
        condition.broadcast()
      }
    }

    func expect(from: Int, to: Int) -> Letter {
      condition.withLock {
        defer { expected[from * size + to] += 1 }
        return Letter(from: from, to: to, number: expected[from * size + to])
      }
    }

    func take(_ letter: Letter) throws -> [UInt8] {
      try condition.withLock {
        while letters[letter] == nil {
          if let failure { throw failure }
          condition.wait()
        }
        return letters.removeValue(forKey: letter)!
      }
    }

    var knownFailure: TeamFailure? { condition.withLock { failure } }

    func fail(_ failure: TeamFailure) {
      condition.withLock {
        if self.failure == nil { self.failure = failure }
        condition.broadcast()
      }
    }
  }
}
