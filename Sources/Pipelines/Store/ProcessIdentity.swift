import Foundation
import Glibc

/// Tells the scratch folders of living runners from those of dead ones.
///
/// A name holds host, process and the start time of the process, since process numbers come round again. What a
/// foreign host left can't be judged from here, so it counts as alive for a day.
enum ProcessIdentity {
  static let host: String = ProcessInfo.processInfo.hostName.filter { $0.isLetter || $0.isNumber || $0 == "." }

  /// `host-pid-start`.
  static let current: String = "\(host)-\(getpid())-\(startTime(of: getpid()) ?? "0")"

  static func isAlive(_ name: String) -> Bool {
    let fields = name.split(separator: "-").map(String.init)
    guard fields.count == 4, let process = Int32(fields[1]) else { return false }
    guard fields[0] == host else { return true }
    return startTime(of: process) == fields[2]
  }

  /// Clock ticks since boot, as the kernel counts them; nil where no such process runs.
  private static func startTime(of process: Int32) -> String? {
    // Field 22; the second field is the program's name in parentheses and may hold anything.
    guard let bytes = readProc("/proc/\(process)/stat"), let end = bytes.lastIndex(of: UInt8(ascii: ")")) else {
      return nil
    }
    let fields = bytes[(end + 1)...].split(separator: 0x20)
    return fields.count > 19 ? String(decoding: fields[19], as: UTF8.self) : nil
  }

  /// Files of /proc have size zero, so they are read until their end.
  private static func readProc(_ path: String) -> [UInt8]? {
    let fd = open(path, O_RDONLY | O_CLOEXEC)
    guard fd >= 0 else { return nil }
    defer { close(fd) }
    var bytes = [UInt8](repeating: 0, count: 4096)
    let n = read(fd, &bytes, bytes.count)
    return n > 0 ? Array(bytes[..<n]) : nil
  }
}
