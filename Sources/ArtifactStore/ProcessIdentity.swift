import Determinism
import Foundation
import Glibc
import PipelineModel

/// A process, and the machine that it runs on: what tells the living from the dead where the locks of a kernel do not
/// reach, as on a network file system.
///
/// Its text is part of the names of scratch folders and leases: `n1.4f3a2b1c.9d8e7f6a.f0000037.812.1a2b3c`, and then
/// `.j17_3.r1` for a job of a batch system and how often it was started again.
package struct ProcessIdentity: Sendable, Equatable {
  /// The name of the machine, in letters, digits and hyphens.
  package var host: String
  /// Digits of a digest of the machine's own number: two machines may have one name.
  package var machine: String
  /// Digits of a digest of what the kernel drew when it started.
  package var boot: String
  /// The namespace of process numbers: containers count processes on their own.
  package var space: String
  package var process: Int
  /// When the process started, in ticks since the kernel did: numbers of processes are used again.
  package var start: Int
  package var job: String?
  package var restart = 0

  package var text: String {
    let job = job.map { ".j\($0).r\(restart)" } ?? ""
    return "\(host).\(machine).\(boot).\(space).\(process).\(String(start, radix: 16))\(job)"
  }

  /// For messages: `process 812 on n1 (job 17_3)`.
  package var description: String { "process \(process) on \(host)" + (job.map { " (job \($0))" } ?? "") }
}

extension ProcessIdentity {
  /// This process.
  package static let current: ProcessIdentity = {
    func digits(_ path: String) -> String {
      guard let bytes = try? ProcFile.read(path), !bytes.isEmpty else { return "00000000" }
      return String(Digest(of: bytes).hex.prefix(8))
    }
    var name = [CChar](repeating: 0, count: 256)
    gethostname(&name, name.count - 1)
    let host = String(decoding: name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    var space = stat()
    let hasSpace = stat("/proc/self/ns/pid", &space) == 0
    let environment = ProcessInfo.processInfo.environment
    return ProcessIdentity(
      host: plain(host, orElse: "unknown"), machine: digits("/etc/machine-id"),
      boot: digits("/proc/sys/kernel/random/boot_id"), space: String(hasSpace ? UInt64(space.st_ino) : 0, radix: 16),
      process: Int(getpid()), start: start(of: Int(getpid())) ?? 0, job: job(environment),
      restart: environment["SLURM_RESTART_COUNT"].flatMap { Int($0) } ?? 0)
  }()

  /// `17`, or `17_3` of an array.
  private static func job(_ environment: [String: String]) -> String? {
    if let array = environment["SLURM_ARRAY_JOB_ID"], let task = environment["SLURM_ARRAY_TASK_ID"] {
      return plain("\(array)_\(task)", orElse: "0")
    }
    return environment["SLURM_JOB_ID"].map { plain($0, orElse: "0") }
  }

  /// What can be part of the text, and of a file's name.
  private static func plain(_ text: String, orElse empty: String) -> String {
    let kept = text.utf8.prefix(40).map { byte in
      switch byte {
      case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x5F: byte
      default: UInt8(ascii: "-")
      }
    }
    return kept.isEmpty ? empty : String(decoding: kept, as: UTF8.self)
  }

  /// Nil of another text.
  package init?(text: String) {
    let parts = text.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
    guard parts.count == 6 || parts.count == 8, !parts.contains(""), let process = Int(parts[4]),
      let start = Int(parts[5], radix: 16)
    else { return nil }
    self.init(
      host: parts[0], machine: parts[1], boot: parts[2], space: parts[3], process: process, start: start)
    guard parts.count == 8 else { return }
    guard parts[6].hasPrefix("j"), parts[7].hasPrefix("r"), let restart = Int(parts[7].dropFirst()) else { return nil }
    job = String(parts[6].dropFirst())
    self.restart = restart
  }

  /// When a process of this namespace started; nil where it has ended.
  private static func start(of process: Int) -> Int? {
    guard let bytes = try? ProcFile.read("/proc/\(process)/stat"), let end = bytes.lastIndex(of: UInt8(ascii: ")"))
    else { return nil }
    // After the name: the state, then nineteen numbers, of which the last is the start.
    let fields = bytes[(end + 1)...].split(separator: UInt8(ascii: " "))
    guard fields.count > 19, fields[0].first != UInt8(ascii: "Z"), fields[0].first != UInt8(ascii: "X") else {
      return nil
    }
    return Int(String(decoding: fields[19], as: UTF8.self))
  }
}

extension ProcessIdentity {
  package enum Fate { case alive, dead, unknown }

  /// What one process can say of another. Only that of its own machine, and of its own numbers, is certain.
  package func fate(seenBy other: ProcessIdentity) -> Fate {
    guard host == other.host, machine == other.machine else { return .unknown }
    if boot != other.boot { return .dead }
    guard space == other.space else { return .unknown }
    return ProcessIdentity.start(of: process) == start ? .alive : .dead
  }

  /// Whether the batch system started the same job again, so that the earlier one counts for nothing, wherever it runs.
  package func isSuperseded(by other: ProcessIdentity) -> Bool {
    job != nil && job == other.job && restart < other.restart
  }
}

/// Files of `/proc`, which tell no size.
private enum ProcFile {
  static func read(_ path: String) throws -> [UInt8] {
    let file = try Descriptor.open(path, O_RDONLY, "read")
    var bytes = [UInt8](repeating: 0, count: 4096)
    let n = FileIO.retrying { Glibc.read(file.number, &bytes, bytes.count) }
    guard n >= 0 else { throw Files.failure("read", path) }
    return Array(bytes.prefix(n))
  }
}
