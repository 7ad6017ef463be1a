import Foundation

/// Checks whether memory is available. A Swift allocation that the system refuses would end the process without a message.
enum Memory {
  /// The limit of this process's address space in bytes; nil for no limit.
  static var limit: UInt64? {
    var limits = rlimit()
    guard getrlimit(__rlimit_resource_t(RLIMIT_AS.rawValue), &limits) == 0, limits.rlim_cur != rlim_t.max else {
      return nil
    }
    return UInt64(limits.rlim_cur)
  }

  static func mebibytes(_ bytes: some BinaryInteger) -> String { "\(bytes >> 20) MiB" }

  /// Checks that so many bytes can be allocated.
  /// - Throws: `noMemory`, with what is needed and what is available.
  static func require(_ bytes: Int, at place: String) throws(TensorFileError) {
    guard bytes >= 1 << 20 else { return }
    let room = mmap(nil, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
    guard let room, room != MAP_FAILED else {
      let cause = limit.map { "the limit is \(mebibytes($0)) (ulimit -v)" } ?? "the machine has less"
      throw TensorFileError(.noMemory, at: place, "not enough memory: \(mebibytes(bytes)) are needed, and \(cause)")
    }
    munmap(room, bytes)
    // The system overcommits memory and kills a process that uses more than there is.
    guard bytes >= 1 << 28, let available, bytes > available else { return }
    throw TensorFileError(
      .noMemory, at: place,
      "not enough memory: \(mebibytes(bytes)) are needed, and \(mebibytes(available)) are available")
  }

  /// The available memory of the machine in bytes; nil where the system does not tell.
  private static var available: Int? {
    guard let text = try? String(contentsOfFile: "/proc/meminfo", encoding: .utf8) else { return nil }
    let line = text.split(separator: "\n").first { $0.hasPrefix("MemAvailable:") }
    return line.flatMap { Int($0.filter { ("0"..."9").contains($0) }) }.flatMap { $0 > 1 << 40 ? nil : $0 << 10 }
  }
}
