import Determinism
import Foundation
import Pipelines
import Synchronization

/// The two streams: results go to the output, everything else to the error stream.
///
/// Everything that the program says goes through here. A write that fails is remembered, the work continues, and the
/// exit code reports it at the end: a result that nobody received is not a success.
enum Output {
  private struct State {
    /// `errno` of the first write to each stream that failed; nothing more is written there.
    var failures: [Int32: Int32] = [:]
  }

  private static let state = Mutex(State())

  /// Takes care of the process's streams, before anything else happens.
  ///
  /// Where a stream is closed, the next file that is opened would get its number, and what is meant for the stream
  /// would be written into that file. A stream without a reader must not end the process between two steps of a commit.
  static func prepare() {
    for descriptor in [0, 1, 2] as [Int32] where fcntl(descriptor, F_GETFD) < 0 && errno == EBADF {
      // Losing results is an error; losing progress messages is not.
      let flags = descriptor == 2 ? O_RDWR : O_RDONLY
      guard open("/dev/null", flags) == descriptor else { _exit(ExitCodes.failure) }
    }
    // A handler, where SIG_IGN would be inherited by the commands of stages.
    signal(SIGPIPE) { _ in }
  }

  /// A line of results as text.
  static func line(_ text: String) { write(text.printable + "\n", to: 1) }

  /// A line of results as JSON.
  static func json(_ value: CanonicalValue) { write(value.canonicalText + "\n", to: 1) }

  /// A line of anything else.
  static func error(_ text: String) { write(text.printable + "\n", to: 2) }

  /// Text as it is.
  static func write(_ text: String, to descriptor: Int32) {
    var text = text
    state.withLock { state in
      guard state.failures[descriptor] == nil else { return }
      let code = text.withUTF8 { FileIO.writeAll(UnsafeRawBufferPointer($0), to: descriptor) }
      if code != 0 { state.failures[descriptor] = code }
    }
  }

  /// Reports a failure to write, and returns the exit code of the process.
  /// - Parameter code: that of the command itself.
  static func finish(_ code: Int32) -> Int32 {
    let failures = state.withLock { $0.failures }
    // A closed pipe is the reader's choice; anything else is reported.
    if let reason = failures[1], reason != EPIPE {
      error("error: cannot write to standard output: \(String(cString: strerror(reason)))")
    }
    return code == 0 && !failures.isEmpty ? ExitCodes.failure : code
  }
}

/// A file that the user named for a result.
enum OutputFile {
  /// - Throws: for a folder, a pipe or a device in its place, and where the system refuses.
  static func publish(_ text: String, to path: String) throws {
    do throws(FileFailure) {
      try FileIO.publish(Array(text.utf8), to: path)
    } catch {
      if error.code == 0 { throw error }
      throw PipelineError(error.isDiskFull ? .diskFull : .io, error.description)
    }
  }
}
