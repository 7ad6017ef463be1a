/// Processes that compute one thing together, each with a rank from 0. They run the same code on the same files.
///
/// A team moves bytes and nothing else. All members start their transfers in one common order, so that what one of them
/// sends is what another one expects. A member that fails says so: nobody waits for it any more.
public protocol Team: Sendable {
  /// This member's place; 0 leads: it alone has effects that others see.
  var rank: Int { get }
  /// How many members there are.
  var size: Int { get }

  /// Starts to send and receive, and returns at once. Nothing may write to a buffer of a send, or touch that of a
  /// receipt, until the transfer has ended.
  func start(sends: [TeamMessage], receipts: [TeamMessage]) -> any TeamTransfer

  /// Tells all others that this member cannot go on: transfers that did not end yet, and all later ones, throw this. A
  /// team that failed is of no more use.
  func fail(_ failure: TeamFailure)

  /// What the team failed with first; nil while it has not.
  var failure: TeamFailure? { get }
}

/// A transfer that was started.
public protocol TeamTransfer: Sendable {
  /// Waits until all of it was sent and received.
  /// - Throws: `TeamFailure` once a member failed.
  func wait() throws
}

/// A part of a buffer, and the member that it goes to or comes from.
///
/// What arrives may be shorter than the part that waits for it: what it says of itself tells its length. Between two
/// members a transfer has at most one message in each direction, of less than two gibibytes.
public struct TeamMessage: Sendable {
  public let peer: Int
  public let buffer: TeamBuffer
  public let range: Range<Int>

  /// - Parameter range: of bytes; nil for all.
  public init(_ peer: Int, _ buffer: TeamBuffer, _ range: Range<Int>? = nil) {
    self.peer = peer
    self.buffer = buffer
    self.range = range ?? 0..<buffer.bytes.count
    precondition(
      self.range.upperBound <= buffer.bytes.count && self.range.count <= Int32.max,
      "TeamMessage: \(self.range) of \(buffer.bytes.count) bytes")
  }

  /// The part itself.
  public var bytes: UnsafeMutableRawBufferPointer { UnsafeMutableRawBufferPointer(rebasing: buffer.bytes[range]) }
}

/// Memory that transfers read and write; it lives at least as long as they do.
public final class TeamBuffer: @unchecked Sendable {
  // Invariant: a transfer and its caller never touch the same bytes at once (see `Team.start`).
  public let bytes: UnsafeMutableRawBufferPointer

  /// Bytes with unspecified content, aligned to 64.
  public init(count: Int) { bytes = .allocate(byteCount: max(1, count), alignment: 64) }

  public convenience init(_ content: [UInt8]) {
    self.init(count: content.count)
    content.withUnsafeBytes { bytes.copyMemory(from: $0) }
  }

  deinit { bytes.deallocate() }
}

/// A member of a team could not go on.
public struct TeamFailure: DiagnosableError, Equatable {
  /// Of the member that failed.
  public let rank: Int
  public let size: Int
  /// Where it ran; empty where everybody runs in one place.
  public let host: String
  public let reason: String
  /// The kind of error, for whoever decides what to do; empty where it has none.
  public let code: String
  public let isUserData: Bool

  public init(
    rank: Int, size: Int, host: String = "", reason: String, code: String = "", isUserData: Bool = false
  ) {
    self.rank = rank
    self.size = size
    self.host = host
    self.reason = reason
    self.code = code
    self.isUserData = isUserData
  }

  public var description: String {
    "worker \(rank + 1) of \(size)\(host.isEmpty ? "" : " on \(host)") failed: \(reason)"
  }
}

/// One process alone.
public struct SoloTeam: Team {
  public init() {}
  public var rank: Int { 0 }
  public var size: Int { 1 }

  public func start(sends: [TeamMessage], receipts: [TeamMessage]) -> any TeamTransfer {
    precondition(sends.isEmpty && receipts.isEmpty, "SoloTeam: nobody to talk to")
    return Done()
  }

  public func fail(_ failure: TeamFailure) {}
  public var failure: TeamFailure? { nil }

  private struct Done: TeamTransfer { func wait() {} }
}
