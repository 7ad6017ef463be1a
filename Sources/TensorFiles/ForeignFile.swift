import CCodecs
import Determinism
import Foundation

/// Reads untrusted HDF5 files: libhdf5 crashes or hangs on some malformed files, so a limited child process reads them.
///
/// The child is the caller's own executable with a hidden command, which only calls `ForeignFile.serve`. The parent
/// calls `digest`.
public enum ForeignFile {
  /// Limits of the child.
  public struct Limits: Sendable {
    /// Address space of the child in bytes; nil for what a valid file of its size can need.
    public var memory: UInt64?
    /// Processor time of the child in seconds; ten times as much may pass by the clock, since other programs may use the
    /// machine.
    public var seconds: UInt64

    public init(memory: UInt64? = nil, seconds: UInt64 = 600) {
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

  /// The exit code of a child that could not allocate memory.
  private static let lackOfMemory: Int32 = 71

  /// Address space for reading a file, in bytes: the program with its threads, the library's copies of the file's
  /// content, and batches of the tensors.
  static func need(fileSize: Int) -> UInt64 { UInt64(fileSize).multipliedSaturated(by: 8).addingSaturated(1 << 30) }

  /// The part of it that this process, and so its child, may have.
  static func granted(_ wanted: UInt64) -> UInt64 { min(wanted, Memory.limit ?? .max) }

  /// The child's work: limits itself, reads the file and prints the digest, or the error as one line. With two arguments
  /// it examines files for a `FileGuard` until its input ends.
  /// - Parameter arguments: path, bytes of memory, seconds of processor time; the guard's have no path.
  /// - Returns: the exit code: 0, 65 for a file that cannot be read, or `lackOfMemory`.
  public static func serve(_ arguments: [String], print: (String) -> Void) -> Int32 {
    guard (2...3).contains(arguments.count), let memory = UInt64(arguments[arguments.count - 2]),
      let seconds = UInt64(arguments[arguments.count - 1])
    else {
      print("\(command) needs a path, bytes of memory and seconds")
      return 64
    }
    guard cc_limit_process(seconds, arguments.count == 3 ? 1 : 0) == 0 else { return 70 }
    if arguments.count == 2 {
      FileGuard.serve(memory: memory, print: print)
      return 0
    }
    guard cc_limit_memory(granted(memory)) == 0 else { return 70 }
    do throws(TensorFileError) {
      print(try TensorFile.digest(ofFileAt: arguments[0]).hex)
      return 0
    } catch {
      print("\(error)")
      return error.code == .noMemory ? lackOfMemory : 65
    }
  }

  /// The logical digest of a file, computed by a child process.
  /// - Parameter executable: the program that implements `command`, usually the running one.
  /// - Throws: `TensorFileError`: the child's own; `readerDied` where it crashed or was stopped; `noMemory` where this
  ///   process is limited to less memory than a valid file of that size can need, and that was not enough.
  public static func digest(
    of path: String, executable: String, limits: Limits = Limits()
  ) throws(TensorFileError) -> Digest {
    let need = need(fileSize: try size(of: path))
    let memory = granted(limits.memory ?? need)
    func scarce(_ otherwise: TensorFileError) -> TensorFileError {
      memory < need ? notEnough(memory, need: need, at: path) : otherwise
    }
    let arguments = [command, path, String(memory), String(limits.seconds)]
    switch LimitedProcess.run(executable, arguments, seconds: 10 * Double(limits.seconds)) {
    case .exited(0, let output):
      if let digest = Digest(hex: lastLine(output)) { return digest }
      throw TensorFileError(.noReader, at: path, "the reader \(executable) printed no digest")
    case .exited(65, let output): throw refusal(lastLine(output), at: path)
    case .exited(lackOfMemory, _):
      throw scarce(
        TensorFileError(
          .tooLarge, at: path,
          "reading it takes more than \(Memory.mebibytes(memory)) of memory; --memory allows more"))
    case .exited(let code, _):
      throw scarce(TensorFileError(.noReader, at: path, "the reader \(executable) ended with exit code \(code)"))
    case .killed(SIGKILL):
      throw TensorFileError(.noMemory, at: path, "the process that reads it was killed, perhaps because memory ran out")
    case .killed(SIGXCPU), .timedOut:
      throw TensorFileError(
        .readerDied, at: path, "reading it takes longer than \(limits.seconds) s; --seconds allows more")
    case .killed(let signal):
      throw scarce(
        TensorFileError(
          .readerDied, at: path,
          "the HDF5 library crashed on it or exceeded its limits (signal \(signal)); the file is malformed"))
    case .notStarted(let reason):
      throw TensorFileError(.noReader, at: path, "cannot start the reader \(executable): \(reason)")
    }
  }

  static func notEnough(_ memory: UInt64, need: UInt64, at path: String) -> TensorFileError {
    TensorFileError(
      .noMemory, at: path,
      "not enough memory: reading it may take \(Memory.mebibytes(need)), and the limit is "
        + "\(Memory.mebibytes(memory)) (ulimit -v, --memory)")
  }

  private static func size(of path: String) throws(TensorFileError) -> Int {
    var status = stat()
    guard stat(path, &status) == 0 else {
      throw TensorFileError(.unreadable, at: path, "cannot be opened: \(String(cString: strerror(errno)))")
    }
    guard status.st_mode & S_IFMT == S_IFREG else { throw TensorFileError(.unreadable, at: path, "not a file") }
    return Int(status.st_size)
  }

  private static func lastLine(_ output: String) -> String { TextLines.split(output).last ?? "" }

  /// The child's line as an error, split into place and message.
  private static func refusal(_ text: String, at path: String) -> TensorFileError {
    guard text.startsWithBytes(of: path) else { return TensorFileError(.corrupt, at: path, text) }
    let rest = Substring(text.utf8.dropFirst(path.utf8.count))
    guard let mark = rest.firstRange(of: ": error: ") else { return TensorFileError(.corrupt, at: path, text) }
    return TensorFileError(.corrupt, at: path + rest[..<mark.lowerBound], String(rest[mark.upperBound...]))
  }
}
