import CCodecs
import Foundation
import Synchronization

/// Stands before libhdf5: a file that this process did not write itself is first taken through the library by a limited
/// child, in just the way it is going to be read. The bytes of an artifact may be those that its maker stored and still
/// be made to crash whoever opens them.
///
/// The child is kept for the next file. It does not touch the data of our own chunks, which we decode ourselves.
public final class FileGuard: Sendable {
  /// The guard of this process; without one, files are opened as they are.
  public static var current: FileGuard? {
    get { slot.withLock { $0 } }
    set { slot.withLock { $0 = newValue } }
  }

  /// Seconds that a file may take; far more than one of ours does.
  static let patience: UInt32 = 120

  private static let slot = Mutex<FileGuard?>(nil)

  /// What tells a file from others, and from itself after a change.
  struct Identity: Hashable, Sendable {
    let device: UInt64
    let inode: UInt64
    let size: Int64
    let modified: Int64

    init?(descriptor: Int32) {
      var s = stat()
      guard fstat(descriptor, &s) == 0 else { return nil }
      device = UInt64(s.st_dev)
      inode = UInt64(s.st_ino)
      size = Int64(s.st_size)
      modified = Int64(s.st_mtim.tv_sec) * 1_000_000_000 + Int64(s.st_mtim.tv_nsec)
    }
  }

  private struct State {
    var child: Child?
    var known: Set<Identity> = []
  }

  private let executable: String
  private let limits: ForeignFile.Limits
  private let state = Mutex(State())

  /// - Parameter executable: the program that answers to `ForeignFile.command`, usually the running one.
  public init(executable: String, limits: ForeignFile.Limits = ForeignFile.Limits(memory: 4 << 30, seconds: 3600)) {
    self.executable = executable
    self.limits = limits
  }

  /// Remembers a file that this process wrote.
  func trust(_ descriptor: Int32) {
    guard let identity = Identity(descriptor: descriptor) else { return }
    state.withLock { _ = $0.known.insert(identity) }
  }

  /// - Throws: `readerDied` where the child did not survive the file; where it found an error, nothing: the error will
  ///   be found again.
  func admit(_ path: String, descriptor: Int32) throws(TensorFileError) {
    let identity = Identity(descriptor: descriptor)
    try state.withLock { state throws(TensorFileError) in
      if let identity, state.known.contains(identity) { return }
      if state.child == nil { state.child = try Child(executable, limits) }
      guard state.child!.examine(path) else {
        state.child = nil
        throw TensorFileError(
          .readerDied, at: path, "the HDF5 library crashed on it or exceeded its limits; the file is malformed")
      }
      if let identity { state.known.insert(identity) }
    }
  }

  // MARK: In the child

  /// Takes a file through the library.
  /// - Parameter hex: its path, in hexadecimal digits, since it may hold anything.
  static func answer(_ hex: String) -> String {
    guard let path = decode(hex) else { return "no path" }
    do throws(TensorFileError) {
      try FileReader(try Medium(reading: path), place: path).survey()
      return "sound"
    } catch {
      return "error"
    }
  }

  fileprivate static func encode(_ path: String) -> String {
    path.utf8.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
  }

  private static func decode(_ hex: String) -> String? {
    let digits = Array(hex.utf8)
    guard digits.count % 2 == 0 else { return nil }
    let bytes = stride(from: 0, to: digits.count, by: 2).compactMap {
      UInt8(String(decoding: digits[$0..<$0 + 2], as: UTF8.self), radix: 16)
    }
    return bytes.count * 2 == digits.count ? String(validating: bytes, as: UTF8.self) : nil
  }

  /// The process on the other side of two pipes.
  private final class Child: Sendable {
    private let process: pid_t
    private let requests: Int32
    private let replies: Int32

    init(_ executable: String, _ limits: ForeignFile.Limits) throws(TensorFileError) {
      var down: [Int32] = [0, 0]
      var up: [Int32] = [0, 0]
      guard cc_pipe(&down) == 0, cc_pipe(&up) == 0 else {
        throw TensorFileError(.unreadable, at: executable, "no pipe: \(String(cString: strerror(errno)))")
      }
      let arguments = [ForeignFile.command, String(limits.memory), String(limits.seconds)]
      let started = LimitedProcess.spawn(executable, arguments, input: down[0], output: up[1])
      close(down[0])
      close(up[1])
      (requests, replies) = (down[1], up[0])
      switch started {
      case .success(let pid): process = pid
      case .failure(let reason):
        close(down[1])
        close(up[0])
        throw TensorFileError(.unreadable, at: executable, "cannot start the reader: \(reason.text)")
      }
    }

    /// Its input ends, and so does it.
    deinit {
      close(requests)
      close(replies)
      kill(process, SIGKILL)
      var status: Int32 = 0
      while waitpid(process, &status, 0) < 0 && errno == EINTR {}
    }

    /// - Returns: whether it answered.
    func examine(_ path: String) -> Bool {
      let line = Array((FileGuard.encode(path) + "\n").utf8)
      guard cc_send_all(requests, line, UInt(line.count)) == 0 else { return false }
      var byte: UInt8 = 0
      while true {
        var request = pollfd(fd: replies, events: Int16(POLLIN), revents: 0)
        guard poll(&request, 1, Int32(FileGuard.patience + 5) * 1000) > 0 || errno == EINTR else { return false }
        let n = read(replies, &byte, 1)
        if n < 0 && errno == EINTR { continue }
        if n <= 0 { return false }
        if byte == 0x0A { return true }
      }
    }
  }
}
