import Determinism
import Foundation

/// Heart beats and notices of a team. Only the engine's thread uses it.
final class MPIWatch {
  private let rank: Int
  private let size: Int
  private let silence: Double
  private var predecessor: Int { (rank + size - 1) % size }
  private var successor: Int { (rank + 1) % size }

  private let beatOut = TeamBuffer(count: 1)
  private let beatIn = TeamBuffer(count: 1)
  private let sending = MPIRequests(count: 1)
  private let hearing = MPIRequests(count: 1)
  private var lastBeat = ContinuousClock.now
  /// Seconds for which nothing was heard, as far as this process was awake.
  private var quiet = 0.0
  private var lastLook = ContinuousClock.now

  private var notices: [(peer: Int, buffer: TeamBuffer, requests: MPIRequests)] = []
  private var sent: [(buffer: TeamBuffer, requests: MPIRequests)] = []
  private static let noticeBytes = 8 << 10

  init(rank: Int, size: Int, silence: Double) {
    self.rank = rank
    self.size = size
    self.silence = silence
    hearing.receive(beatIn.bytes, from: predecessor, tag: .beat)
    for peer in 0..<size where peer != rank {
      let buffer = TeamBuffer(count: MPIWatch.noticeBytes)
      let requests = MPIRequests(count: 1)
      requests.receive(buffer.bytes, from: peer, tag: .notice)
      notices.append((peer, buffer, requests))
    }
  }

  private var interval: Double { min(10, silence / 10) }

  /// Sends a heart beat where one is due, and listens.
  /// - Returns: a sentence once nothing was heard of the member before for too long.
  func lostMember() -> String? {
    let now = ContinuousClock.now
    // A process that was stopped itself, as all are where a cluster suspends a job, has heard nobody and blames nobody.
    quiet += min((now - lastLook) / .seconds(1), 1)
    lastLook = now
    if (now - lastBeat) / .seconds(1) >= interval, sending.haveEnded() {
      sending.send(beatOut.bytes, to: successor, tag: .beat)
      lastBeat = now
    }
    if hearing.haveEnded() {
      quiet = 0
      hearing.receive(beatIn.bytes, from: predecessor, tag: .beat)
    }
    guard quiet > silence else { return nil }
    return "nothing was heard of worker \(predecessor + 1) of \(size) for \(Int(silence.rounded())) s: its process was "
      + "stopped, or its machine is lost. All workers end; started again, they go on from the last checkpoint"
  }

  func send(_ notice: MPIEngine.Notice) {
    let buffer = TeamBuffer(MPIWatch.bytes(of: notice))
    let requests = MPIRequests(count: size - 1)
    for peer in 0..<size where peer != rank { requests.send(buffer.bytes, to: peer, tag: .notice) }
    sent.append((buffer, requests))
  }

  var hasSentAll: Bool {
    sent.removeAll { $0.requests.haveEnded() }
    return sent.isEmpty
  }

  /// What the others said since the last call.
  func receive() -> [MPIEngine.Notice] {
    notices.compactMap { peer, buffer, requests in
      guard requests.haveEnded() else { return nil }
      defer { requests.receive(buffer.bytes, from: peer, tag: .notice) }
      return MPIWatch.notice(from: Array(buffer.bytes))
    }
  }

  /// Gives up what nobody will send any more.
  func end() {
    hearing.cancel()
    for notice in notices { notice.requests.cancel() }
  }

  private static func bytes(of notice: MPIEngine.Notice) -> [UInt8] {
    var bytes = WireBytes()
    switch notice {
    case .over: bytes.write(0)
    case .failure(let failure):
      bytes.write(1)
      bytes.write(failure.rank)
      bytes.write(failure.size)
      bytes.write(failure.isUserData ? 1 : 0)
      bytes.write(Array(failure.host.utf8.prefix(256)))
      bytes.write(Array(failure.code.utf8.prefix(256)))
      // A long text loses its end; broken characters are replaced where it is read.
      bytes.write(Array(failure.reason.utf8.prefix(noticeBytes - 1024)))
    }
    return bytes.bytes
  }

  private static func notice(from bytes: [UInt8]) -> MPIEngine.Notice {
    var rest = WireReader(bytes)
    guard rest.integer() == 1 else { return .over }
    let (rank, size, isUserData) = (rest.integer(), rest.integer(), rest.integer() == 1)
    let (host, code, reason) = (rest.text(), rest.text(), rest.text())
    return .failure(
      TeamFailure(rank: rank, size: size, host: host, reason: reason, code: code, isUserData: isUserData))
  }
}
