import CCodecs
import Determinism
import Foundation
import Synchronization

/// Protects this process from crashes of libhdf5: a limited child process first makes the library calls that reading
/// will make, for every file that this process did not write itself. An artifact may have the recorded digest and still
/// be crafted to crash its readers.
///
/// The child is kept for further files. It does not read the data of chunks in our own format, which the library does
/// not decode.
public final class FileGuard: Sendable {
  /// The guard of this process; without one, files are opened directly.
  public static var current: FileGuard? {
    get { slot.withLock { $0 } }
    set { slot.withLock { $0 = newValue } }
  }

  /// Seconds of processor time for a file: far more than reading all of it takes. Ten times as much may pass by the
  /// clock, since other programs may use the machine.
  static func timeLimit(fileSize: Int) -> UInt32 { UInt32(clamping: 120 + fileSize >> 23) }

  private static let slot = Mutex<FileGuard?>(nil)

  /// Identifies a file in one state: it differs from that of other files and of the same file after a change.
  struct Identity: Hashable, Sendable {
    let device: UInt64
    let inode: UInt64
    let size: Int64
    /// Nanoseconds since 1970; programs can't set the inode's change time.
    let modified: Int128
    let changed: Int128

    init?(descriptor: Int32) {
      var s = stat()
      guard fstat(descriptor, &s) == 0 else { return nil }
      device = UInt64(s.st_dev)
      inode = UInt64(s.st_ino)
      size = Int64(s.st_size)
      func nanoseconds(_ t: timespec) -> Int128 { Int128(t.tv_sec) * 1_000_000_000 + Int128(t.tv_nsec) }
      modified = nanoseconds(s.st_mtim)
      changed = nanoseconds(s.st_ctim)
    }
  }

  private struct State {
    var child: Child?
    var known: Set<Identity> = []
  }

  private let executable: String
  private let limits: ForeignFile.Limits
  private let state = Mutex(State())

  /// - Parameter executable: the program that implements `ForeignFile.command`, usually the running one.
  public init(executable: String, limits: ForeignFile.Limits = ForeignFile.Limits(seconds: 3600)) {
    self.executable = executable
    self.limits = limits
  }

  /// Registers a file that this process wrote, so that it is not examined.
  func trust(_ descriptor: Int32) {
    guard let identity = Identity(descriptor: descriptor) else { return }
    state.withLock { _ = $0.known.insert(identity) }
  }

  /// Examines a file in the child, unless it is known.
  /// - Throws: `readerDied` where the child did not survive the file, `noMemory` where it lacked the memory that a valid
  ///   file can need. Does not throw other errors that the child finds: the reader will find them again.
  func admit(_ path: String, descriptor: Int32) throws(TensorFileError) {
    let identity = Identity(descriptor: descriptor)
    let size = Int(clamping: identity?.size ?? 0)
    try state.withLock { state throws(TensorFileError) in
      if let identity, state.known.contains(identity) { return }
      var answer = Answer.died
      // A child that read many files may have used up its time; a file is blamed only where a fresh child died.
      let isFresh = state.child == nil
      for attempt in 0..<(isFresh ? 1 : 2) where answer == .died {
        if attempt > 0 { state.child = nil }
        if state.child == nil { state.child = try Child(executable, limits) }
        answer = state.child!.examine(path, timeLimit: FileGuard.timeLimit(fileSize: size))
      }
      if answer == .examined {
        if let identity { state.known.insert(identity) }
        return
      }
      if answer == .died { state.child = nil }
      let need = ForeignFile.need(fileSize: size)
      let memory = ForeignFile.granted(limits.memory ?? need)
      if memory < need { throw ForeignFile.notEnough(memory, need: need, at: path) }
      throw TensorFileError(
        .readerDied, at: path,
        answer == .died
          ? "the HDF5 library crashed on it or exceeded its limits; the file is malformed"
          : "the HDF5 library requests more than \(Memory.mebibytes(memory)) of memory; the file is malformed")
    }
  }

  private enum Answer { case examined, lacksMemory, died }

  // MARK: In the child

  /// Examines the files named on standard input, one per line, until it ends.
  /// - Parameter memory: limit of the address space in bytes.
  static func serve(memory: UInt64, print: (String) -> Void) {
    // The limit inherited from the parent bounds the limit for a file.
    let most = ForeignFile.granted(memory)
    Parallel.configure(threads: 1)
    while let hex = readLine() {
      print(answer(hex, most: most))
      _ = cc_limit_file(0)
    }
  }

  /// Makes the library calls of reading for one file.
  /// - Parameter hex: its path in hexadecimal digits, since it may contain any characters.
  private static func answer(_ hex: String, most: UInt64) -> String {
    var status = stat()
    guard let path = decode(hex), stat(path, &status) == 0 else { return "error" }
    let size = Int(status.st_size)
    guard cc_limit_file(UInt64(timeLimit(fileSize: size))) == 0 else { return "error" }
    guard cc_limit_memory(min(most, ForeignFile.need(fileSize: size))) == 0 else { return "memory" }
    do throws(TensorFileError) {
      try FileReader(try FileStorage(reading: path), place: path).survey()
      return "sound"
    } catch {
      return error.code == .noMemory ? "memory" : "error"
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

  /// The child process, connected by two pipes.
  private final class Child: Sendable {
    private let process: pid_t
    private let requests: Int32
    private let replies: Int32

    init(_ executable: String, _ limits: ForeignFile.Limits) throws(TensorFileError) {
      var down: [Int32] = [0, 0]
      var up: [Int32] = [0, 0]
      guard cc_pipe(&down) == 0 else {
        throw Child.failure("cannot create a pipe: \(String(cString: strerror(errno)))", executable)
      }
      guard cc_pipe(&up) == 0 else {
        let reason = String(cString: strerror(errno))
        close(down[0])
        close(down[1])
        throw Child.failure("cannot create a pipe: \(reason)", executable)
      }
      let arguments = [ForeignFile.command, String(limits.memory ?? .max), String(limits.seconds)]
      let started = LimitedProcess.spawn(executable, arguments, input: down[0], output: up[1])
      close(down[0])
      close(up[1])
      (requests, replies) = (down[1], up[0])
      switch started {
      case .success(let pid): process = pid
      case .failure(let reason):
        close(down[1])
        close(up[0])
        throw Child.failure("cannot start the reader: \(reason.text)", executable)
      }
    }

    /// Closes the pipes, and ends and reaps the child.
    deinit {
      close(requests)
      close(replies)
      kill(process, SIGKILL)
      var status: Int32 = 0
      while waitpid(process, &status, 0) < 0 && errno == EINTR {}
    }

    private static func failure(_ reason: String, _ executable: String) -> TensorFileError {
      TensorFileError(.noReader, at: executable, reason)
    }

    /// Sends it the path of a file and waits for the answer.
    /// - Parameter timeLimit: seconds of processor time for the file.
    func examine(_ path: String, timeLimit: UInt32) -> Answer {
      let line = Array((FileGuard.encode(path) + "\n").utf8)
      guard cc_send_all(requests, line, UInt(line.count)) == 0 else { return .died }
      let clock = ContinuousClock()
      let end = clock.now + .seconds(10 * Int(timeLimit))
      var reply: [UInt8] = []
      while true {
        var request = pollfd(fd: replies, events: Int16(POLLIN), revents: 0)
        let left = (end - clock.now) / .milliseconds(1)
        guard left > 0 else { return .died }
        if poll(&request, 1, Int32(min(left, 1e6)) + 1) <= 0 { continue }
        var byte: UInt8 = 0
        let n = FileIO.retrying { Glibc.read(replies, &byte, 1) }
        if n <= 0 { return .died }
        if byte == 0x0A { return reply == Array("memory".utf8) ? .lacksMemory : .examined }
        if reply.count < 64 { reply.append(byte) }
      }
    }
  }
}
