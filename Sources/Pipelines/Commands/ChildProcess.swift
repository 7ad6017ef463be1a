import CProcesses
import Foundation
import Glibc

/// A program run to its end in a process group of its own.
struct ChildProcess: Sendable {
  var executable: String
  /// With the program's name in front.
  var arguments: [String]
  /// All that it sees.
  var environment: [String: String]
  var folder: String

  enum Ending: Equatable, Sendable {
    case exited(Int32)
    case killed(signal: Int32)
    /// It took longer than its limit.
    case timedOut
  }

  /// How long a program may take to stop when asked to, in seconds.
  private static let grace = 2.0

  /// Runs the program; its process group is gone afterwards, whatever it left running.
  /// - Parameters:
  ///   - input, output, errors: files; what is written is appended to them.
  ///   - limit: in seconds.
  /// - Throws: `StageInterrupted` where the user asked to stop.
  func run(
    input: String = "/dev/null", output: String, errors: String, limit: Double = .infinity, interruption: Interruption
  ) throws -> Ending {
    let process = try start(input: input, output: output, errors: errors)
    let clock = ContinuousClock()
    let begin = clock.now
    var asked: ContinuousClock.Instant?
    var isLate = false
    var pause = 100e-6
    let watch = cp_watch(process)
    defer { if watch >= 0 { close(watch) } }
    while !ChildProcess.hasEnded(process) {
      if asked == nil, interruption.isRequested {
        asked = clock.now
        kill(-process, SIGTERM)
      }
      if let asked, clock.now - asked > .seconds(ChildProcess.grace) { kill(-process, SIGKILL) }
      if limit.isFinite, clock.now - begin > .seconds(limit) {
        isLate = true
        kill(-process, SIGKILL)
      }
      var request = pollfd(fd: watch, events: Int16(POLLIN), revents: 0)
      if watch >= 0 {
        _ = poll(&request, 1, 50)
      } else {
        // Short programs are seen soon, long ones cost nothing.
        Thread.sleep(forTimeInterval: pause)
        pause = min(0.05, pause * 1.25)
      }
    }
    // Until it is reaped its number is taken, so this can hit nobody else.
    kill(-process, SIGKILL)
    var status: Int32 = 0
    while waitpid(process, &status, 0) < 0 && errno == EINTR {}
    if asked != nil { throw StageInterrupted() }
    if isLate { return .timedOut }
    // Layout of wait(2): the low seven bits are the signal, the next byte the exit status.
    return status & 0x7F == 0 ? .exited(status >> 8 & 0xFF) : .killed(signal: status & 0x7F)
  }

  private func start(input: String, output: String, errors: String) throws -> pid_t {
    func descriptor(_ path: String, _ flags: Int32) throws -> Int32 {
      let fd = open(path, flags | O_CLOEXEC, 0o644)
      guard fd >= 0 else { throw Files.failure("open", path) }
      return fd
    }
    let reading = try descriptor(input, O_RDONLY)
    defer { close(reading) }
    let writing = try descriptor(output, O_WRONLY | O_CREAT | O_APPEND)
    defer { close(writing) }
    let complaining = try descriptor(errors, O_WRONLY | O_CREAT | O_APPEND)
    defer { close(complaining) }

    var argv: [UnsafeMutablePointer<CChar>?] = arguments.map { strdup($0) } + [nil]
    var envp: [UnsafeMutablePointer<CChar>?] =
      environment.sorted { $0.key < $1.key }.map { strdup("\($0)=\($1)") } + [nil]
    defer { for text in argv + envp { free(text) } }
    let process = cp_start(executable, &argv, &envp, folder, [reading, writing, complaining])
    guard process > 0 else { throw Files.failure("start", executable) }
    return process
  }

  /// Whether it has ended, and waits to be reaped.
  private static func hasEnded(_ process: pid_t) -> Bool {
    var info = siginfo_t()
    // Without a process that ended, the structure stays as it is.
    guard waitid(P_PID, id_t(process), &info, WEXITED | WNOHANG | WNOWAIT) == 0 else { return errno != EINTR }
    return info.si_signo != 0
  }
}

extension ChildProcess.Ending: CustomStringConvertible {
  var description: String {
    switch self {
    case .exited(let code): "ended with exit status \(code)"
    case .killed(let signal): "was killed by signal \(Self.name(ofSignal: signal))"
    case .timedOut: "took too long"
    }
  }

  /// `11 (Segmentation fault)`.
  static func name(ofSignal signal: Int32) -> String { "\(signal) (\(String(cString: strsignal(signal))))" }
}
