import CProcesses
import Determinism
import Foundation
import Glibc
import PipelineModel
import Synchronization

/// A program run to its end. What it started is gone with it: a supervisor adopts and kills whatever it leaves, also
/// where this process is killed.
///
/// Its three standard streams are pipes, so that it holds no file of this process: a descriptor of a file leads to the
/// file's folder and lets its owner change its mode.
struct ChildProcess: Sendable {
  var executable: String
  /// With the program's name in front.
  var arguments: [String]
  /// All that it sees.
  var environment: [String: String]
  var folder: String
  /// What it inherits as its descriptors 3, 4, ...
  var inherited: [Descriptor] = []
  /// Where the machine's device nodes are read-only for it; nil where it could not change them anyway.
  var guarded: GuardedDevices?

  enum Ending: Equatable, Sendable {
    case exited(Int32)
    case killed(signal: Int32)
    /// It took longer than its limit.
    case timedOut
    /// It printed more than it may.
    case printedTooMuch
  }

  /// How long a program may take to stop when asked to, in seconds.
  static let grace = 2.0

  /// Runs the program.
  /// - Parameters:
  ///   - input: a file that it reads; nil for nothing.
  ///   - output, errors: files; what is written is appended to them. Of one file the order is kept.
  ///   - limit: in seconds.
  ///   - grace: seconds to stop in.
  ///   - listener: hears what goes to the file of errors.
  /// - Throws: `StageInterrupted` where the user asked to stop; a `PipelineError` where the files can't be read or
  ///   written, or the program can't be started.
  func run(
    input: String? = nil, output: String, errors: String, limit: Double = .infinity, grace: Double = ChildProcess.grace,
    listener: LineListener? = nil, interruption: Interruption
  ) throws -> Ending {
    let flags = O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | O_NONBLOCK
    let first = Attendant.Sink(
      .file(try Descriptor.open(output, flags, "write"), path: output),
      listener: output.hasSameBytes(as: errors) ? listener : nil)
    let second =
      output.hasSameBytes(as: errors)
      ? first : Attendant.Sink(.file(try Descriptor.open(errors, flags, "write"), path: errors), listener: listener)
    return try run(input: input, first, second, limit: limit, grace: grace, interruption: interruption)
  }

  /// Runs the program and keeps what it prints on either stream.
  /// - Parameter bytes: printed at most.
  func capture(bytes: Int, limit: Double, interruption: Interruption) throws -> (ending: Ending, text: [UInt8]) {
    let sink = Attendant.Sink(.memory(limit: bytes))
    let ending = try run(
      input: nil, sink, sink, limit: limit, grace: ChildProcess.grace, interruption: interruption)
    return (ending, sink.kept)
  }

  private func run(
    input: String?, _ output: Attendant.Sink, _ errors: Attendant.Sink, limit: Double, grace: Double,
    interruption: Interruption
  ) throws -> Ending {
    let source = try input.map { try Attendant.Source(path: $0) }
    let (stdin, stdout, control) = (try Pipe(), try Pipe(), try Pipe())
    let stderr = output === errors ? nil : try Pipe()
    let supervision = Supervision(
      self, control: control.reading, descriptors: [stdin.reading, stdout.writing, (stderr ?? stdout).writing])
    var attendant = Attendant(
      source: source, input: stdin.writing,
      readers: [(stdout.reading, output)] + (stderr.map { [($0.reading, errors)] } ?? []), control: control.writing,
      limit: limit, grace: grace, interruption: interruption)
    try supervision.start()
    attendant.attend(until: { supervision.isOver })
    let ending = supervision.wait()
    if let failure = attendant.failure { throw failure }
    if ending.error != 0 { throw startFailure(ending.error) }
    if ending.survivors != 0 {
      throw PipelineError(.commandFailed, "\(executable): something that it started can't be killed")
    }
    switch attendant.reason {
    case .interrupted: throw StageInterrupted()
    case .late: return .timedOut
    case .printedTooMuch: return .printedTooMuch
    case nil: break
    }
    // Layout of wait(2): the low seven bits are the signal, the next byte the exit status.
    let status = ending.status
    return status & 0x7F == 0 ? .exited(status >> 8 & 0xFF) : .killed(signal: status & 0x7F)
  }

  private func startFailure(_ code: Int32) -> PipelineError {
    switch code {
    case E2BIG:
      PipelineError(
        .commandFailed,
        "\(executable): cannot start: its \(arguments.count) words and \(environment.count) variables are more than the "
          + "system takes; put them in a file that the program reads")
    case ECHILD: PipelineError(.commandFailed, "\(executable): what watches over it was killed")
    default: Files.failure("start", executable, code)
    }
  }
}

/// A thread that is suspended while a program and its supervisor run.
private final class Supervision: @unchecked Sendable {
  // Invariant: `ending` is written by the thread before it signals `ended`, and read after that.
  private let process: ChildProcess
  private let control: Descriptor
  private let descriptors: [Descriptor]
  private var ending = cp_ending()
  private let ended = DispatchSemaphore(value: 0)
  private let over = Atomic<Bool>(false)

  /// Whether nothing of the program is left that could be killed.
  var isOver: Bool { over.load(ordering: .acquiring) }

  init(_ process: ChildProcess, control: Descriptor, descriptors: [Descriptor]) {
    self.process = process
    self.control = control
    self.descriptors = descriptors
  }

  func start() throws {
    try startThread(named: "supervision", stackBytes: 1 << 20) { [self] in
      // The supervisor shares this thread's memory: no handler may run in it.
      var all = sigset_t()
      sigfillset(&all)
      pthread_sigmask(SIG_SETMASK, &all, nil)
      perform()
      // Now nobody has the ends that it wrote to, which is what the other ends see. That which it read from stays:
      // writing to a pipe that nobody can read would kill this process.
      for pipe in descriptors.dropFirst() { pipe.shut() }
      over.store(true, ordering: .releasing)
      ended.signal()
    }
  }

  func wait() -> cp_ending {
    ended.wait()
    return ending
  }

  private func perform() {
    var argv: [UnsafeMutablePointer<CChar>?] = process.arguments.map { strdup($0) } + [nil]
    var envp: [UnsafeMutablePointer<CChar>?] =
      process.environment.map { "\($0.key)=\($0.value)" }.sortedByBytes().map { strdup($0) } + [nil]
    defer { for text in argv + envp { free(text) } }
    let numbers = (descriptors + process.inherited).map(\.number)
    numbers.withUnsafeBufferPointer { numbers in
      argv.withUnsafeMutableBufferPointer { argv in
        envp.withUnsafeMutableBufferPointer { envp in
          process.executable.withCString { path in
            process.folder.withCString { folder in
              var program = cp_program()
              program.path = path
              program.arguments = UnsafePointer(argv.baseAddress!)
              program.environment = UnsafePointer(envp.baseAddress!)
              program.folder = folder
              program.descriptors = numbers.baseAddress
              program.descriptorCount = Int32(numbers.count)
              program.mountNamespace = process.guarded?.namespace.number ?? -1
              program.rootFolder = process.guarded?.root.number ?? -1
              cp_run(&program, control.number, &ending)
            }
          }
        }
      }
    }
  }
}

extension ChildProcess.Ending: CustomStringConvertible {
  var description: String {
    switch self {
    case .exited(let code): "ended with exit status \(code)"
    case .killed(let signal): "was killed by signal \(Self.name(ofSignal: signal))"
    case .timedOut: "took too long"
    case .printedTooMuch: "printed too much"
    }
  }

  /// `11 (Segmentation fault)`.
  static func name(ofSignal signal: Int32) -> String { "\(signal) (\(String(cString: strsignal(signal))))" }
}
