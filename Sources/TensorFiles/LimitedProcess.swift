import CCodecs
import Foundation

/// Runs a child process with a time limit and captures its output.
enum LimitedProcess {
  enum Outcome: Equatable {
    case exited(Int32, output: String)
    case killed(signal: Int32)
    case timedOut
    case notStarted(String)
  }

  /// Runs a program until it exits or `seconds` have passed. Its input is empty, its error output is discarded.
  static func run(_ executable: String, _ arguments: [String], seconds: Double) -> Outcome {
    var pipeEnds: [Int32] = [0, 0]
    guard cc_pipe(&pipeEnds) == 0 else { return .notStarted(String(cString: strerror(errno))) }
    defer { close(pipeEnds[0]) }
    let started = spawn(executable, arguments, input: nil, output: pipeEnds[1])
    close(pipeEnds[1])
    guard case .success(let pid) = started else {
      if case .failure(let reason) = started { return .notStarted(reason.text) }
      return .notStarted("")
    }
    let (output, finished) = readAll(pipeEnds[0], seconds: seconds)
    if !finished { kill(pid, SIGKILL) }
    var code: Int32 = 0
    while waitpid(pid, &code, 0) < 0 && errno == EINTR {}
    if !finished { return .timedOut }
    // Exit status layout of wait(2).
    return code & 0x7F == 0
      ? .exited(code >> 8 & 0xFF, output: String(decoding: output, as: UTF8.self)) : .killed(signal: code & 0x7F)
  }

  struct Reason: Error {
    let text: String
  }

  /// Starts a program; its error output is discarded.
  /// - Parameter input: its standard input; nil for an empty one.
  static func spawn(
    _ executable: String, _ arguments: [String], input: Int32?, output: Int32
  ) -> Result<pid_t, Reason> {
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    if let input {
      posix_spawn_file_actions_adddup2(&actions, input, 0)
    } else {
      posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
    }
    posix_spawn_file_actions_adddup2(&actions, output, 1)
    posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0)
    var pid: pid_t = 0
    var argv: [UnsafeMutablePointer<CChar>?] = ([executable] + arguments).map { strdup($0) }
    argv.append(nil)
    defer { for a in argv { free(a) } }
    let status = posix_spawn(&pid, executable, &actions, nil, argv, environ)
    return status == 0 ? .success(pid) : .failure(Reason(text: String(cString: strerror(status))))
  }

  /// Reads until the writer closes its end; returns false where that takes too long. Keeps the first 64 KiB or so.
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
