import Determinism
import Glibc
import PipelineModel

/// Reads a tar archive from anybody, entry by entry: plain files only, names that stay inside, sizes that are there.
final class TarReader {
  struct Entry {
    let name: String
    let size: Int
    let isExecutable: Bool
  }

  private let path: String
  private let descriptor: Int32
  private let length: Int
  private var position = 0
  /// Bytes of the current entry that were not read yet.
  private var rest = 0

  init(path: String) throws {
    self.path = path
    descriptor = FileIO.retrying { open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK) }
    guard descriptor >= 0 else { throw Files.failure("read", path) }
    var status = stat()
    guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
      throw PipelineError(.badArtifact, "\(path): not a file")
    }
    length = Int(status.st_size)
  }

  deinit { close(descriptor) }

  private func bad(_ why: String) -> PipelineError {
    PipelineError(.badArtifact, "\(path): \(why) (at byte \(position))")
  }

  /// The next file; nil at the end. What is left of the last one is skipped.
  func next() throws -> Entry? {
    var longName: String?
    var longSize: Int?
    while true {
      try skip()
      guard position + 512 <= length else { throw bad("the archive ends in the middle") }
      let block = try read(512)
      if block.allSatisfy({ $0 == 0 }) { return nil }
      guard TarReader.checksum(of: block) == TarReader.octal(block[148..<156]) else {
        throw bad("not a tar archive, or damaged")
      }
      guard block[257..<262].elementsEqual("ustar".utf8), let size = longSize ?? TarReader.octal(block[124..<136]),
        let prefix = TarReader.text(block[345..<500]), let short = TarReader.text(block[0..<100])
      else { throw bad("a header of an unknown form") }
      let name = longName ?? (prefix.isEmpty ? short : prefix + "/" + short)
      guard size <= length - position else {
        throw bad("'\(name)' is said to have \(size) bytes; the archive is truncated")
      }
      rest = size
      switch block[156] {
      case UInt8(ascii: "x"):
        (longName, longSize) = try extensions(size)
      case UInt8(ascii: "5"):
        // Folders come with the files in them.
        guard size == 0 else { throw bad("the folder '\(name)' has a size") }
        (longName, longSize) = (nil, nil)
      case UInt8(ascii: "0"), 0:
        if let problem = RelativePath.problem(name) { throw bad("a bad name: \(problem)") }
        let mode = TarReader.octal(block[100..<108]) ?? 0
        return Entry(name: name, size: size, isExecutable: mode & 0o100 != 0)
      default:
        throw bad("'\(name)' is neither a file nor a folder; links and devices are refused")
      }
    }
  }

  /// The pax records that matter.
  private func extensions(_ size: Int) throws -> (name: String?, size: Int?) {
    guard size <= 1 << 16 else { throw bad("an extended header of \(size) bytes") }
    var bytes = try contents()[...]
    var found: (name: String?, size: Int?) = (nil, nil)
    while let space = bytes.firstIndex(of: 0x20) {
      guard let count = Int(String(decoding: bytes[..<space], as: UTF8.self)), count > space - bytes.startIndex + 1,
        count <= bytes.count
      else { throw bad("an extended header of an unknown form") }
      let line = bytes[(space + 1)..<(bytes.startIndex + count)]
      guard line.last == 0x0A, let equals = line.firstIndex(of: 0x3D),
        let value = String(validating: line[(equals + 1)...].dropLast(), as: UTF8.self)
      else { throw bad("an extended header of an unknown form") }
      switch String(decoding: line[..<equals], as: UTF8.self) {
      case "path": found.name = value
      case "size":
        guard let number = Int(value), number >= 0 else { throw bad("an extended header of an unknown form") }
        found.size = number
      default: break
      }
      bytes = bytes[(bytes.startIndex + count)...]
    }
    return found
  }

  /// All of the current entry.
  func contents() throws -> [UInt8] { try read(rest, isContent: true) }

  /// Writes the current entry to a new file.
  func extract(to target: String) throws {
    let output = open(target, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o644)
    guard output >= 0 else {
      if errno == EEXIST { throw bad("a name that comes twice") }
      throw Files.failure("write", target)
    }
    defer { close(output) }
    while rest > 0 {
      let piece = try read(min(rest, 1 << 20), isContent: true)
      let code = piece.withUnsafeBytes { FileIO.writeAll($0, to: output) }
      guard code == 0 else { throw Files.failure("write \(piece.count) bytes", target, code) }
    }
  }

  /// Goes to the next header.
  private func skip() throws {
    position += rest
    rest = 0
    position = (position + 511) / 512 * 512
    guard position <= length else { throw bad("the archive ends in the middle") }
  }

  private func read(_ count: Int, isContent: Bool = false) throws -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: count)
    var done = 0
    while done < count {
      let n = bytes.withUnsafeMutableBytes { pread(descriptor, $0.baseAddress! + done, count - done, position + done) }
      if n < 0 && errno == EINTR { continue }
      guard n > 0 else { throw n < 0 ? Files.failure("read", path) : bad("the archive ends in the middle") }
      done += n
    }
    position += count
    if isContent { rest -= count }
    return bytes
  }

  private static func checksum(of block: [UInt8]) -> Int {
    block.indices.reduce(0) { $0 + ((148..<156).contains($1) ? 0x20 : Int(block[$1])) }
  }

  /// Octal digits, maybe after spaces, ended by a space, a zero byte or the field.
  private static func octal(_ field: ArraySlice<UInt8>) -> Int? {
    let digits = field.drop { $0 == 0x20 }.prefix { $0 >= 0x30 && $0 <= 0x37 }
    guard !digits.isEmpty else { return nil }
    return digits.reduce(0) { $0 << 3 | Int($1 - 0x30) }
  }

  private static func text(_ field: ArraySlice<UInt8>) -> String? {
    String(validating: field.prefix { $0 != 0 }, as: UTF8.self)
  }
}
