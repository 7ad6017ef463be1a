import CCodecs
import Determinism
import Foundation

/// Reads other people's HDF5 without trusting it: libhdf5 crashes or hangs on some malformed files, so a child process
/// with limits does the reading.
///
/// The child is the caller's own executable with a hidden command, whose whole work is `ForeignFile.serve`. The parent
/// calls `digest`.
public enum ForeignFile {
  public struct Limits: Sendable {
    /// Address space of the child, in bytes.
    public var memory: UInt64
    /// Processor time of the child; twice as much may pass on the clock.
    public var seconds: UInt64

    public init(memory: UInt64 = 8 << 30, seconds: UInt64 = 600) {
      self.memory = memory
      self.seconds = seconds
    }
  }

  /// The first argument that makes the executable a reader. Its `main` starts with:
  ///
  ///     if CommandLine.arguments.dropFirst().first == ForeignFile.command {
  ///       exit(ForeignFile.serve(Array(CommandLine.arguments.dropFirst(2))) { print($0) })
  ///     }
  public static let command = "read-foreign-hdf5"

  /// What the child does: limits itself, reads the file and prints the digest, or the error as one line.
  /// - Parameter arguments: path, bytes of memory, seconds of processor time.
  /// - Returns: the exit code: 0, or 65 for a file that cannot be read.
  public static func serve(_ arguments: [String], print: (String) -> Void) -> Int32 {
    guard arguments.count == 3, let memory = UInt64(arguments[1]), let seconds = UInt64(arguments[2]) else {
      print("\(command) needs a path, bytes of memory and seconds")
      return 64
    }
    guard cc_limit_process(memory, seconds) == 0 else {
      print("cannot limit the process")
      return 70
    }
    do {
      print(try TensorFile.digest(ofFileAt: arguments[0], limits: ReadingLimits(totalBytes: Int(memory / 2))).hex)
      return 0
    } catch {
      print("\(error)")
      return 65
    }
  }

  /// The logical digest of a file, computed by a child process.
  /// - Parameter executable: the program that answers to `command`, usually the running one.
  /// - Throws: `TensorFileError`: the child's own, or `readerDied` where it crashed or was stopped.
  public static func digest(
    of path: String, executable: String, limits: Limits = Limits()
  ) throws(TensorFileError) -> Digest {
    let arguments = [command, path, String(limits.memory), String(limits.seconds)]
    switch LimitedProcess.run(executable, arguments, seconds: Double(2 * limits.seconds)) {
    case .exited(let code, let output):
      let text = output.split(separator: "\n").last.map(String.init) ?? ""
      if code == 0, let digest = Digest(hex: text) { return digest }
      throw TensorFileError(.corrupt, at: path, detail(of: text, path))
    case .killed(let signal):
      throw TensorFileError(
        .readerDied, at: path,
        "the HDF5 library crashed on it or exceeded its limits (signal \(signal)); the file is malformed")
    case .timedOut:
      throw TensorFileError(
        .readerDied, at: path, "reading it takes longer than \(2 * limits.seconds) s; the file is malformed")
    case .notStarted(let reason):
      throw TensorFileError(.unreadable, at: path, "cannot start the reader \(executable): \(reason)")
    }
  }

  /// The child's line without the path in front, which the error repeats.
  private static func detail(of text: String, _ path: String) -> String {
    text.hasPrefix(path) ? String(text.dropFirst(path.count).trimmingPrefix(": error: ")) : text
  }
}

/// A child process with a time limit whose output is kept.
enum LimitedProcess {
  enum Outcome: Equatable {
    case exited(Int32, output: String)
    case killed(signal: Int32)
    case timedOut
    case notStarted(String)
  }

  /// Runs a program to its end or until `seconds` have passed; its input is empty, its error output dropped.
  static func run(_ executable: String, _ arguments: [String], seconds: Double) -> Outcome {
    var pipeEnds: [Int32] = [0, 0]
    guard cc_pipe(&pipeEnds) == 0 else { return .notStarted(String(cString: strerror(errno))) }
    defer { close(pipeEnds[0]) }
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
    posix_spawn_file_actions_adddup2(&actions, pipeEnds[1], 1)
    posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0)

    var pid: pid_t = 0
    var argv: [UnsafeMutablePointer<CChar>?] = ([executable] + arguments).map { strdup($0) }
    argv.append(nil)
    defer { for a in argv { free(a) } }
    let status = posix_spawn(&pid, executable, &actions, nil, argv, environ)
    close(pipeEnds[1])
    guard status == 0 else { return .notStarted(String(cString: strerror(status))) }

    let (output, finished) = readAll(pipeEnds[0], seconds: seconds)
    if !finished { kill(pid, SIGKILL) }
    var code: Int32 = 0
    while waitpid(pid, &code, 0) < 0 && errno == EINTR {}
    if !finished { return .timedOut }
    // Exit status layout of wait(2).
    return code & 0x7F == 0
      ? .exited(code >> 8 & 0xFF, output: String(decoding: output, as: UTF8.self)) : .killed(signal: code & 0x7F)
  }

  /// Reads until the writer closes its end; false where that takes too long. Keeps the first 64 KiB.
  private static func readAll(_ file: Int32, seconds: Double) -> ([UInt8], Bool) {
    var output = [UInt8]()
    var buffer = [UInt8](repeating: 0, count: 4096)
    let clock = ContinuousClock()
    let end = clock.now + .seconds(seconds)
    while true {
      let left = (end - clock.now) / .milliseconds(1)
      guard left > 0 else { return (output, false) }
      var request = pollfd(fd: file, events: Int16(POLLIN), revents: 0)
      let ready = poll(&request, 1, Int32(min(left, 1e6)) + 1)
      if ready <= 0 { continue }
      let n = read(file, &buffer, buffer.count)
      if n < 0 && errno == EINTR { continue }
      if n <= 0 { return (output, true) }
      if output.count < 65536 { output += buffer[..<n] }
    }
  }
}
