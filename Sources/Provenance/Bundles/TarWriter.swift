import Determinism
import Glibc
import PipelineModel

/// Writes a tar archive (POSIX ustar with pax extensions) whose bytes are a function of names, modes and contents: no
/// times, no owners.
final class TarWriter {
  private let path: String
  private let descriptor: Int32
  /// SHA-256 of each file written, by name.
  private(set) var digests: [(name: String, digest: Digest)] = []

  /// - Parameter path: created or replaced.
  init(path: String) throws {
    self.path = path
    descriptor = FileIO.retrying {
      open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0o644)
    }
    guard descriptor >= 0 else { throw Files.failure("write", path) }
  }

  deinit { close(descriptor) }

  func add(_ name: String, _ bytes: [UInt8], executable: Bool = false) throws {
    try header(name, size: bytes.count, executable: executable)
    try bytes.withUnsafeBytes { try write($0) }
    try pad(bytes.count)
    digests.append((name, Digest(of: bytes)))
  }

  /// Adds a file.
  /// - Throws: where its bytes are not those of the digest, or change meanwhile.
  func add(_ name: String, file: String, sha256: Digest, executable: Bool = false) throws {
    let source = FileIO.retrying { open(file, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW) }
    guard source >= 0 else { throw Files.failure("read", file) }
    defer { close(source) }
    var status = stat()
    guard fstat(source, &status) == 0 else { throw Files.failure("read", file) }
    guard status.st_mode & S_IFMT == S_IFREG else {
      throw PipelineError(.damaged, "\(file): not the file that was written; 'audit' tells more")
    }
    let size = Int(status.st_size)
    try header(name, size: size, executable: executable)
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 64)
    defer { buffer.deallocate() }
    var builder = DigestBuilder()
    var done = 0
    while true {
      let n = read(source, buffer.baseAddress!, buffer.count)
      if n < 0 && errno == EINTR { continue }
      guard n >= 0 else { throw Files.failure("read", file) }
      if n == 0 { break }
      let piece = UnsafeRawBufferPointer(rebasing: buffer[0..<n])
      builder.update(piece)
      done += n
      // A file that grows meanwhile is not read for ever.
      if done > size { break }
      try write(piece)
    }
    guard done == size, builder.finalize() == sha256 else {
      throw PipelineError(.damaged, "\(file): its bytes are not those that were written; 'audit' tells more")
    }
    try pad(size)
    digests.append((name, sha256))
  }

  /// Ends the archive and brings it to the disk.
  func finish() throws {
    try [UInt8](repeating: 0, count: 1024).withUnsafeBytes { try write($0) }
    guard fsync(descriptor) == 0 || errno == EINVAL else { throw Files.failure("sync", path) }
  }

  private func header(_ name: String, size: Int, executable: Bool) throws {
    var records = [UInt8]()
    let split = TarWriter.split(name)
    if split == nil { records += TarWriter.record("path", name) }
    if size >= 1 << 33 { records += TarWriter.record("size", String(size)) }
    if !records.isEmpty {
      try block(name: "pax", prefix: "", size: records.count, executable: false, type: "x")
      try records.withUnsafeBytes { try write($0) }
      try pad(records.count)
    }
    let (prefix, rest) = split ?? ("", "long")
    try block(name: rest, prefix: prefix, size: size >= 1 << 33 ? 0 : size, executable: executable, type: "0")
  }

  /// The two fields of a name, where they can hold it.
  private static func split(_ name: String) -> (prefix: String, name: String)? {
    guard name.utf8.allSatisfy({ $0 < 0x80 }) else { return nil }
    if name.utf8.count <= 100 { return ("", name) }
    for (i, c) in name.enumerated() where c == "/" && i <= 155 && name.utf8.count - i - 1 <= 100 && i > 0 {
      return (String(name.prefix(i)), String(name.dropFirst(i + 1)))
    }
    return nil
  }

  /// `length key=value\n`, where the length counts itself.
  private static func record(_ key: String, _ value: String) -> [UInt8] {
    let rest = key.utf8.count + value.utf8.count + 3
    var length = rest + 1
    while String(length).utf8.count + rest != length { length = String(length).utf8.count + rest }
    return Array("\(length) \(key)=\(value)\n".utf8)
  }

  private func block(name: String, prefix: String, size: Int, executable: Bool, type: Character) throws {
    var bytes = [UInt8](repeating: 0, count: 512)
    func put(_ text: String, at offset: Int) {
      bytes.replaceSubrange(offset..<offset + text.utf8.count, with: text.utf8)
    }
    func octal(_ value: Int, digits: Int) -> String {
      let text = String(value, radix: 8)
      return String(repeating: "0", count: digits - text.count) + text
    }
    put(name, at: 0)
    put(executable ? "0000755" : "0000644", at: 100)
    put("0000000", at: 108)
    put("0000000", at: 116)
    put(octal(size, digits: 11), at: 124)
    put("00000000000", at: 136)
    put("        ", at: 148)
    put(String(type), at: 156)
    put("ustar", at: 257)
    put("00", at: 263)
    put(prefix, at: 345)
    put(octal(bytes.reduce(0) { $0 + Int($1) }, digits: 6), at: 148)
    bytes[154] = 0
    try bytes.withUnsafeBytes { try write($0) }
  }

  private func pad(_ size: Int) throws {
    let rest = (512 - size % 512) % 512
    try [UInt8](repeating: 0, count: rest).withUnsafeBytes { try write($0) }
  }

  private func write(_ bytes: UnsafeRawBufferPointer) throws {
    let code = FileIO.writeAll(bytes, to: descriptor)
    guard code == 0 else { throw Files.failure("write \(bytes.count) bytes", path, code) }
  }
}
