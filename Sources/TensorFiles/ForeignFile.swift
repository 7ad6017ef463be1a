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

  /// What the child does: limits itself, reads the file and prints the digest, or the error as one line. Without a path
  /// it examines files for a `FileGuard`, until its input ends.
  /// - Parameter arguments: path, bytes of memory, seconds of processor time.
  /// - Returns: the exit code: 0, or 65 for a file that cannot be read.
  public static func serve(_ arguments: [String], print: (String) -> Void) -> Int32 {
    if arguments.count == 2, let memory = UInt64(arguments[0]), let seconds = UInt64(arguments[1]) {
      guard cc_limit_process(memory, seconds, 0) == 0 else { return 70 }
      while let hex = readLine() {
        // Nobody waits for longer; and if the parent is gone meanwhile, this ends it all the same.
        alarm(FileGuard.patience)
        print(FileGuard.answer(hex))
        alarm(0)
      }
      return 0
    }
    guard arguments.count == 3, let memory = UInt64(arguments[1]), let seconds = UInt64(arguments[2]) else {
      print("\(command) needs a path, bytes of memory and seconds")
      return 64
    }
    guard cc_limit_process(memory, seconds, 1) == 0 else {
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
