import Foundation

/// What memory this process may still get. A request that the system refuses would end the process without a word.
enum Memory {
  /// Bytes of address space that the process is limited to; nil for no limit.
  static var limit: UInt64? {
    var limits = rlimit()
    guard getrlimit(__rlimit_resource_t(RLIMIT_AS.rawValue), &limits) == 0, limits.rlim_cur != rlim_t.max else {
      return nil
    }
    return UInt64(limits.rlim_cur)
  }

  static func mebibytes(_ bytes: some BinaryInteger) -> String { "\(bytes >> 20) MiB" }

  /// Checks that there is memory for what comes next.
  /// - Throws: `noMemory`, with what is needed and what there is.
  static func require(_ bytes: Int, at place: String) throws(TensorFileError) {
    guard bytes >= 1 << 20 else { return }
    let room = mmap(nil, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
    guard let room, room != MAP_FAILED else {
      let cause = limit.map { "the limit is \(mebibytes($0)) (ulimit -v)" } ?? "the machine has less"
      throw TensorFileError(.noMemory, at: place, "not enough memory: \(mebibytes(bytes)) are needed, and \(cause)")
    }
    munmap(room, bytes)
    // The system lends more than it has; who takes it is killed.
    guard bytes >= 1 << 28, let available, bytes > available else { return }
    throw TensorFileError(
      .noMemory, at: place,
      "not enough memory: \(mebibytes(bytes)) are needed, and \(mebibytes(available)) are available")
  }

  /// Bytes that the machine can give without taking them from others; nil where it does not say.
  private static var available: Int? {
    guard let text = try? String(contentsOfFile: "/proc/meminfo", encoding: .utf8) else { return nil }
    let line = text.split(separator: "\n").first { $0.hasPrefix("MemAvailable:") }
    return line.flatMap { Int($0.filter { ("0"..."9").contains($0) }) }.flatMap { $0 > 1 << 40 ? nil : $0 << 10 }
  }
}
