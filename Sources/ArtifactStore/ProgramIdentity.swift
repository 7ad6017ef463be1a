import Determinism
import PipelineModel

/// Tells builds of this program apart.
///
/// The linker writes a digest of the program into it, its build ID: reading that is cheap, where hashing the whole file
/// would cost a job of a cluster more than a small stage does.
package enum ProgramIdentity {
  /// Of the program that is running; where the system does not show it, one that no other process has.
  package static let digest: Digest = of("/proc/self/exe") ?? Digest(of: "unknown \(UInt64.random(in: 0 ... .max))")

  /// Of the program in a file: from its build ID, or SHA-256 of a file without one. Nil where it can't be read.
  package static func of(_ path: String) -> Digest? {
    if let id = try? buildID(path) { return Digest(of: "build \(id)") }
    return try? Files.sha256(path)
  }

  /// The build ID of a 64-bit little-endian ELF file, in hexadecimal; nil where there is none.
  private static func buildID(_ path: String) throws -> String? {
    // Headers and notes lie at the beginning.
    let bytes = try Files.head(of: path, bytes: 1 << 16)
    func number(_ offset: Int, _ width: Int) -> Int? {
      guard offset >= 0, width <= 8, offset <= bytes.count - width else { return nil }
      return Int(exactly: (0..<width).reduce(UInt64(0)) { $0 | UInt64(bytes[offset + $1]) << (8 * UInt64($1)) })
    }
    guard bytes.starts(with: [0x7F, 0x45, 0x4C, 0x46, 2, 1]), let table = number(32, 8), let size = number(54, 2),
      let count = number(56, 2), size >= 56, table < bytes.count
    else { return nil }
    let noteSegment = 4
    for i in 0..<count {
      let header = table + i * size
      guard number(header, 4) == noteSegment, var place = number(header + 8, 8), let length = number(header + 32, 8)
      else { continue }
      let end = place.addingSaturated(length)
      // Each note: sizes of name and content, type, then both, padded to four bytes.
      while place < end, let nameSize = number(place, 4), let contentSize = number(place + 4, 4),
        let type = number(place + 8, 4)
      {
        let content = place + 12 + (nameSize + 3) / 4 * 4
        guard content <= bytes.count, contentSize <= bytes.count - content else { break }
        let name = bytes[(place + 12)...].prefix(nameSize)
        if type == 3, name.elementsEqual([0x47, 0x4E, 0x55, 0]) {
          return bytes[content..<content + contentSize].map { String(0x100 | UInt32($0), radix: 16).dropFirst() }
            .joined()
        }
        place = content + (contentSize + 3) / 4 * 4
      }
    }
    return nil
  }
}

/// The build of the program that is running, for people.
public enum BuildIdentity {
  public static var short: String { ProgramIdentity.digest.short }
}
