import Determinism
import Foundation

/// How much memory this process may use. No result depends on it: it only decides whether work is refused before it
/// starts.
public enum SystemMemory {
  /// A limit and what imposes it.
  public struct Limit: Sendable, Hashable {
    public var bytes: Int
    /// What imposes the limit, to follow a number of bytes in a message: `on this machine`.
    public var reason: String
  }

  /// The upper bound in bytes: memory and swap of the machine, or the limit of the control group.
  public static let total: Int = {
    let info = Fields(text("/proc/meminfo"))
    var bytes = info.kibibytes("MemTotal").addingSaturated(info.kibibytes("SwapTotal"))
    if bytes == 0 { bytes = .max }
    for group in groups { bytes = min(bytes, group.limit.addingSaturated(info.kibibytes("SwapTotal"))) }
    return bytes
  }()

  /// Bytes of memory that this process may use without swapping: those of the machine, or the limit of the control group.
  public static var physical: Int {
    let bytes = Fields(text("/proc/meminfo")).kibibytes("MemTotal")
    return ([bytes == 0 ? .max : bytes] + groups.map(\.limit)).min()!
  }

  /// The smallest of what is available on the machine, in the control groups, and below `ulimit -v` and `-d`.
  public static func available() -> Limit {
    let info = Fields(text("/proc/meminfo"))
    let free = info.kibibytes("MemAvailable").addingSaturated(info.kibibytes("SwapFree"))
    var limits = [Limit(bytes: free == 0 ? .max : free, reason: "on this machine")]
    for group in groups {
      let left = max(0, group.limit.subtractingChecked(group.used) ?? 0)
      limits.append(
        Limit(bytes: left.addingSaturated(info.kibibytes("SwapFree")), reason: "in this control group"))
    }
    limits += ofProcess
    return limits.min { $0.bytes < $1.bytes }!
  }

  /// The address space that 'ulimit' leaves; empty where there is no such limit.
  static var ofProcess: [Limit] {
    var limits = [Limit]()
    let pages = text("/proc/self/statm").split(separator: " ").compactMap { Int($0) }
    for (resource, used, option) in [(__rlimit_resource_t(9), 0, "-v"), (__rlimit_resource_t(2), 5, "-d")] {
      var limit = rlimit()
      // RLIMIT_AS and RLIMIT_DATA.
      guard getrlimit(resource, &limit) == 0, limit.rlim_cur < rlim_t(Int.max), pages.indices.contains(used) else {
        continue
      }
      let taken = pages[used].multipliedSaturated(by: Int(sysconf(Int32(_SC_PAGESIZE))))
      limits.append(Limit(bytes: max(0, Int(limit.rlim_cur) - taken), reason: "below 'ulimit \(option)'"))
    }
    return limits
  }

  /// Limit and use, in bytes, of the control groups of this process (version 2 or 1) that have a memory limit.
  private static var groups: [(limit: Int, used: Int)] {
    var found = [(limit: Int, used: Int)]()
    for line in TextLines.split(text("/proc/self/cgroup")) {
      let parts = line.splitBytes(at: UInt8(ascii: ":"))
      guard parts.count >= 3 else { continue }
      let path = parts[2...].joined(separator: ":")
      let isSecond = parts[0] == "0" && parts[1].isEmpty
      guard isSecond || parts[1].splitBytes(at: UInt8(ascii: ",")).contains("memory") else { continue }
      let (root, limit, usage, cache) =
        isSecond
        ? ("/sys/fs/cgroup", "memory.max", "memory.current", "inactive_file")
        : ("/sys/fs/cgroup/memory", "memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file")
      // Inside a container the path may be the host's: then the root is the group.
      for folder in [root + path, root] {
        guard let bytes = Int(trimmed(text("\(folder)/\(limit)"))), let used = Int(trimmed(text("\(folder)/\(usage)")))
        else { continue }
        // The system evicts cached files when memory is needed, so they do not count.
        found.append((bytes, max(0, used - Fields(text("\(folder)/memory.stat")).number(cache))))
        break
      }
    }
    return found
  }

  private static func trimmed(_ text: String) -> Substring { text.prefix { $0.isNumber } }

  /// A file of /proc or /sys, whose size is not known in advance; empty where it can't be read.
  private static func text(_ path: String) -> String {
    let fd = FileIO.retrying { open(path, O_RDONLY | O_CLOEXEC) }
    guard fd >= 0 else { return "" }
    defer { close(fd) }
    var bytes = [UInt8](repeating: 0, count: 1 << 16)
    let n = FileIO.retrying { read(fd, &bytes, bytes.count) }
    return String(decoding: bytes.prefix(max(0, n)), as: UTF8.self)
  }

  /// Text whose lines are a name and a number.
  private struct Fields {
    private var values: [String: Int] = [:]

    init(_ text: String) {
      for line in TextLines.split(text) {
        let parts = line.split(separator: " ")
        guard parts.count >= 2, let value = Int(parts[1]) else { continue }
        values[String(parts[0].last == ":" ? parts[0].dropLast() : parts[0])] = value
      }
    }

    func number(_ name: String) -> Int { values[name] ?? 0 }
    func kibibytes(_ name: String) -> Int { number(name).multipliedSaturated(by: 1024) }
  }
}
