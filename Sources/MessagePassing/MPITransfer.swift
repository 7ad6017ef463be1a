import CMPI
import Determinism

/// One transfer of a team, as requests of MPI.
final class MPITransfer: TeamTransfer, @unchecked Sendable {
  // Invariant: `hasEnded` is touched under the engine's condition, `requests` by its thread alone.
  var hasEnded = false
  private let engine: MPIEngine
  private let sends: [TeamMessage]
  private let receipts: [TeamMessage]
  private let requests: MPIRequests

  init(_ engine: MPIEngine, sends: [TeamMessage], receipts: [TeamMessage]) {
    self.engine = engine
    self.sends = sends
    self.receipts = receipts
    requests = MPIRequests(count: sends.count + receipts.count)
  }

  func wait() throws { try engine.wait(for: self) }

  /// Receipts come first: what finds its place on arrival is not copied twice.
  func post() {
    for message in receipts { requests.receive(message.bytes, from: message.peer, tag: .work) }
    for message in sends { requests.send(message.bytes, to: message.peer, tag: .work) }
  }

  func isDone() -> Bool { requests.haveEnded() }
}

/// Requests of MPI that are awaited together. Only the engine's thread uses them.
final class MPIRequests {
  enum Tag: Int32 { case work = 1, beat, notice }

  private let memory: UnsafeMutableRawPointer
  private let size = cmpi_request_size()
  private let capacity: Int
  private var count = 0

  init(count: Int) {
    capacity = count
    memory = .allocate(byteCount: max(1, count) * cmpi_request_size(), alignment: 16)
  }

  deinit { memory.deallocate() }

  func receive(_ bytes: UnsafeMutableRawBufferPointer, from peer: Int, tag: Tag) {
    _ = cmpi_receive(bytes.baseAddress, Int32(bytes.count), Int32(peer), tag.rawValue, next())
  }

  func send(_ bytes: UnsafeMutableRawBufferPointer, to peer: Int, tag: Tag) {
    _ = cmpi_send(bytes.baseAddress, Int32(bytes.count), Int32(peer), tag.rawValue, next())
  }

  private func next() -> UnsafeMutableRawPointer {
    precondition(count < capacity, "MPIRequests: more than \(capacity)")
    defer { count += 1 }
    return memory + count * size
  }

  /// Whether all have ended. They may then be made anew.
  func haveEnded() -> Bool {
    guard count > 0 else { return true }
    var ended: Int32 = 0
    _ = cmpi_test(Int32(count), memory, &ended)
    if ended != 0 { count = 0 }
    return ended != 0
  }

  /// Gives up the receipts that have not ended.
  func cancel() {
    if !haveEnded() { for i in 0..<count { _ = cmpi_cancel(memory + i * size) } }
    count = 0
  }
}
