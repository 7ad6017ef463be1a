import Determinism
import Glibc
import PipelineModel

/// Moves bytes between a running program's pipes and files, in bounded memory, until the pipes are closed; and has the
/// program stopped where the user, the clock or the disk asks for it.
struct Attendant {
  enum Reason { case interrupted, late, printedTooMuch }

  /// Where what is printed goes.
  final class Sink {
    enum Target {
      case file(Descriptor, path: String)
      case memory(limit: Int)
    }

    private let target: Target
    private let listener: LineListener?
    private(set) var kept: [UInt8] = []

    /// - Parameter listener: hears what comes.
    init(_ target: Target, listener: LineListener? = nil) { (self.target, self.listener) = (target, listener) }

    /// - Returns: false where no more is wanted.
    func take(_ bytes: UnsafeRawBufferPointer) throws -> Bool {
      switch target {
      case .file(let descriptor, let path):
        let code = FileIO.writeAll(bytes, to: descriptor.number)
        if code != 0 { throw Files.failure("write \(bytes.count) more bytes", path, code) }
        listener?.hear(bytes)
      case .memory(let limit):
        kept += bytes.prefix(limit - kept.count)
        return kept.count < limit
      }
      return true
    }
  }

  /// A file that the program reads as its standard input.
  struct Source {
    let path: String
    let descriptor: Descriptor

    init(path: String) throws {
      self.path = path
      descriptor = try Descriptor.open(path, O_RDONLY | O_NONBLOCK, "read")
      var s = stat()
      guard fstat(descriptor.number, &s) == 0 else { throw Files.failure("read", path) }
      guard s.st_mode & S_IFMT == S_IFREG else { throw PipelineError(.badArtifact, "\(path): not a file") }
    }
  }

  private(set) var failure: (any Error)?
  private(set) var reason: Reason?

  private var source: Source?
  private var input: Descriptor?
  private var readers: [(pipe: Descriptor, sink: Sink)]
  private let control: Descriptor
  private let limit: Double
  private let grace: Double
  private let interruption: Interruption
  private var pending: ArraySlice<UInt8> = []
  private var isKilled = false

  init(
    source: Source?, input: Descriptor, readers: [(pipe: Descriptor, sink: Sink)], control: Descriptor, limit: Double,
    grace: Double, interruption: Interruption
  ) {
    self.source = source
    self.input = input
    self.readers = readers
    self.control = control
    self.limit = limit
    self.grace = grace
    self.interruption = interruption
    for pipe in readers.map(\.pipe) + [input] { _ = fcntl(pipe.number, F_SETFL, O_NONBLOCK) }
  }

  private static let pieceSize = 1 << 16

  /// Returns when nobody has the writing ends of the pipes any more, or only processes that can't be killed.
  /// - Parameter isOver: whether the program and what it started are gone, but for those.
  mutating func attend(until isOver: () -> Bool) {
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: Attendant.pieceSize, alignment: 64)
    defer { buffer.deallocate() }
    let clock = ContinuousClock()
    let begin = clock.now
    var asked: ContinuousClock.Instant?
    if source == nil { endInput() }
    // What is left then fits into a pipe; more comes from who can't be killed.
    var lastRounds = 64
    while !readers.isEmpty, lastRounds > 0 {
      var requests = readers.map { pollfd(fd: $0.pipe.number, events: Int16(POLLIN), revents: 0) }
      if let input { requests.append(pollfd(fd: input.number, events: Int16(POLLOUT), revents: 0)) }
      _ = poll(&requests, nfds_t(requests.count), 50)
      if asked == nil, interruption.isRequested {
        asked = clock.now
        if reason == nil { reason = .interrupted }
        order("T")
      }
      if let asked, clock.now - asked > .seconds(grace) { kill() }
      if limit.isFinite, clock.now - begin > .seconds(limit) { stop(.late) }
      if input != nil, requests.last!.revents != 0 { feed() }
      let isLast = isOver()
      if isLast { lastRounds -= 1 }
      for i in readers.indices.reversed() where isLast || requests[i].revents != 0 {
        if !drain(readers[i].pipe, into: readers[i].sink, buffer, isLast: isLast) { readers.remove(at: i) }
      }
    }
  }

  /// Takes what a pipe holds.
  /// - Returns: false at its end.
  private mutating func drain(
    _ pipe: Descriptor, into sink: Sink, _ buffer: UnsafeMutableRawBufferPointer, isLast: Bool
  ) -> Bool {
    let n = FileIO.retrying { read(pipe.number, buffer.baseAddress!, buffer.count) }
    if n < 0 { return errno == EAGAIN && !isLast }
    if n == 0 { return false }
    // What comes after a failure is read all the same, so that nobody waits for us.
    guard failure == nil, reason != .printedTooMuch else { return true }
    do {
      if try !sink.take(UnsafeRawBufferPointer(rebasing: buffer[0..<n])) { stop(.printedTooMuch) }
    } catch {
      fail(error)
    }
    return true
  }

  /// Gives the program more of its input, as much as its pipe takes.
  private mutating func feed() {
    guard let source, let pipe = input else { return }
    while true {
      if pending.isEmpty {
        var piece = [UInt8](repeating: 0, count: Attendant.pieceSize)
        let n = piece.withUnsafeMutableBytes { piece in
          FileIO.retrying { read(source.descriptor.number, piece.baseAddress!, piece.count) }
        }
        if n < 0 { fail(Files.failure("read", source.path)) }
        guard n > 0 else { return endInput() }
        pending = piece[..<n]
      }
      let n = pending.withUnsafeBytes { bytes in FileIO.retrying { write(pipe.number, bytes.baseAddress!, bytes.count) }
      }
      // Its reading end is open in this process too until all is over, so the pipe is full at most.
      guard n > 0 else { return }
      pending = pending.dropFirst(n)
    }
  }

  private mutating func endInput() {
    input?.shut()
    input = nil
  }

  private mutating func fail(_ error: any Error) {
    if failure == nil { failure = error }
    kill()
  }

  private mutating func stop(_ reason: Reason) {
    if self.reason == nil { self.reason = reason }
    kill()
  }

  private mutating func kill() {
    if !isKilled { order("K") }
    isKilled = true
  }

  /// Tells the supervisor; its end of the pipe is open in this process, and so few bytes always fit.
  private func order(_ letter: Unicode.Scalar) {
    var byte = UInt8(ascii: letter)
    _ = FileIO.retrying { write(control.number, &byte, 1) }
  }
}
