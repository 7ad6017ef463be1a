import Determinism
import Foundation

/// The built executable, run in a process of its own.
enum Program {
  /// Its path: the build puts it beside the test bundle.
  static let path: String = {
    let bundle = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
    return bundle.deletingLastPathComponent().appendingPathComponent("autopanoptic").path
  }()

  /// How a run of the program ended, and its output.
  struct Outcome: Sendable {
    /// The exit code; nil if a signal ended the process.
    let code: Int32?
    let signal: Int32?
    let output: String
    let errors: String

    var lines: [String] { output.split(separator: "\n").map(String.init) }
    /// The digest after `root`, on the last line that has one.
    var root: String? { lines.last { $0.hasPrefix("root ") }.map { String($0.dropFirst(5)) } }
    /// The output as JSON; null if it is not JSON.
    var json: CanonicalValue { (try? CanonicalValue(json: Array(output.utf8))) ?? .null }
    /// The lines of `--json` as events.
    var events: [Event] { lines.compactMap(Event.init) }
    var everything: String { output + errors }
  }

  /// One line of `run --json`.
  struct Event: Sendable {
    let value: CanonicalValue

    init?(_ line: some StringProtocol) {
      guard let value = try? CanonicalValue(json: Array(line.utf8)), value["event"] != nil else { return nil }
      self.value = value
    }

    var name: String { value["event"]?.stringValue ?? "" }
    var stage: String { value["stage"]?.stringValue ?? "" }
    var step: Int { value["step"]?.integerValue ?? 0 }
    var root: String? { value["root"]?.stringValue }
  }

  /// Runs the program to its end.
  ///
  /// - Parameters:
  ///   - environment: added to that of the caller, without the variables that the program reads.
  ///   - folder: the working folder; nil for that of the caller.
  ///   - limit: the time after which it is killed.
  ///   - watch: called with every line of the output soon after it is written; may return a signal to send.
  static func run(
    _ arguments: [String], environment: [String: String] = [:], in folder: String? = nil,
    limit: Duration = .seconds(900), watch: (String) -> Int32? = { _ in nil }
  ) async throws -> Outcome {
    try await run(path, arguments, environment: environment, in: folder, limit: limit, watch: watch)
  }

  /// Runs any program.
  static func run(
    _ executable: String, _ arguments: [String], environment: [String: String] = [:], in folder: String? = nil,
    limit: Duration = .seconds(900), watch: (String) -> Int32? = { _ in nil }
  ) async throws -> Outcome {
    // Files instead of pipes: they never fill up, and no descriptor leaks into processes of other tests.
    try await withTemporaryFolder { scratch in
      let process = try start(executable, arguments, environment: environment, in: folder, scratch: scratch)
      let clock = ContinuousClock()
      let deadline = clock.now + limit
      var seen = 0
      var status: Int32 = 0
      while waitpid(process, &status, WNOHANG) == 0 {
        let bytes = try Data(contentsOf: URL(fileURLWithPath: scratch + "/output"))
        while let end = bytes[seen...].firstIndex(of: 0x0A) {
          if let signal = watch(String(decoding: bytes[seen..<end], as: UTF8.self)) { kill(process, signal) }
          seen = end + 1
        }
        if clock.now > deadline { kill(process, SIGKILL) }
        try await Task.sleep(for: .milliseconds(10))
      }
      func text(_ name: String) throws -> String {
        String(decoding: try Data(contentsOf: URL(fileURLWithPath: "\(scratch)/\(name)")), as: UTF8.self)
      }
      // Layout of wait(2): the low seven bits are the signal, the next byte the exit code.
      let signal = status & 0x7F
      return Outcome(
        code: signal == 0 ? status >> 8 & 0xFF : nil, signal: signal == 0 ? nil : signal, output: try text("output"),
        errors: try text("errors"))
    }
  }

  private static func start(
    _ executable: String, _ arguments: [String], environment: [String: String], in folder: String?, scratch: String
  ) throws -> pid_t {
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
    posix_spawn_file_actions_addopen(&actions, 1, scratch + "/output", O_WRONLY | O_CREAT | O_APPEND, 0o600)
    posix_spawn_file_actions_addopen(&actions, 2, scratch + "/errors", O_WRONLY | O_CREAT | O_APPEND, 0o600)

    // Threads of the test runner block signals, and its parent may ignore some. The program starts with neither.
    var attributes = posix_spawnattr_t()
    posix_spawnattr_init(&attributes)
    defer { posix_spawnattr_destroy(&attributes) }
    var signals = sigset_t()
    sigemptyset(&signals)
    posix_spawnattr_setsigmask(&attributes, &signals)
    for signal in [SIGINT, SIGTERM, SIGPIPE] { sigaddset(&signals, signal) }
    posix_spawnattr_setsigdefault(&attributes, &signals)
    posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF))

    var variables = ProcessInfo.processInfo.environment.filter {
      !$0.key.hasPrefix("AUTOPANOPTIC_") && $0.key != "COCO" && $0.key != "IMAGENET"
    }
    // Some tests kill the program; a stack trace of that is of no use.
    variables["SWIFT_BACKTRACE"] = "enable=no"
    variables.merge(environment) { _, new in new }
    // `env -C` changes the folder and then becomes the program.
    let command = (folder.map { ["/usr/bin/env", "-C", $0] } ?? []) + [executable] + arguments
    var argv: [UnsafeMutablePointer<CChar>?] = command.map { strdup($0) } + [nil]
    var envp: [UnsafeMutablePointer<CChar>?] =
      variables.sorted { $0.key < $1.key }.map { strdup("\($0)=\($1)") } + [nil]
    defer { for text in argv + envp { free(text) } }
    var process: pid_t = 0
    let code = posix_spawn(&process, command[0], &actions, &attributes, &argv, &envp)
    guard code == 0 else {
      throw ProgramError(description: "cannot start \(executable): \(String(cString: strerror(code)))")
    }
    return process
  }
}

struct ProgramError: Error, CustomStringConvertible {
  let description: String
}

/// Calls `body` with the path of a new folder, and removes the folder at the end.
func withTemporaryFolder<R>(_ body: (String) async throws -> R) async throws -> R {
  let path = NSTemporaryDirectory() + "autopanoptic-test-" + UUID().uuidString
  try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  defer { removeTree(path) }
  return try await body(path)
}

/// Removes a folder and its content, whatever the permissions.
func removeTree(_ path: String) {
  makeWritable(path)
  try? FileManager.default.removeItem(atPath: path)
}

/// Makes the content of a folder writable, since objects of a store are read-only. Links are not followed.
func makeWritable(_ path: String) {
  let manager = FileManager.default
  func permit(_ path: String) {
    var isFolder: ObjCBool = false
    guard manager.fileExists(atPath: path, isDirectory: &isFolder),
      (try? manager.destinationOfSymbolicLink(atPath: path)) == nil
    else { return }
    try? manager.setAttributes([.posixPermissions: isFolder.boolValue ? 0o755 : 0o644], ofItemAtPath: path)
  }
  permit(path)
  for name in manager.enumerator(atPath: path) ?? .init() { permit("\(path)/\(name)") }
}
