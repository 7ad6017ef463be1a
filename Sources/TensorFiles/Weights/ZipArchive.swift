import Determinism

/// A ZIP file with uncompressed entries, as PyTorch writes them.
///
/// Entries are those of the central directory; local headers, sizes and checksums must agree with it.
struct ZipArchive: ~Copyable {
  struct Entry {
    let name: String
    /// Offset of the local header.
    let offset: Int
    let size: Int
    let checksum: UInt32
  }

  /// In the order of the directory.
  let entries: [Entry]
  private let source: ByteSource

  private static let maximalEntries = 1 << 20

  /// - Throws: `corrupt` for a damaged ZIP file, `unsupported` for compressed or encrypted entries.
  init(_ source: consuming ByteSource) throws(TensorFileError) {
    let place = source.place
    let end = try ZipArchive.directory(of: source)
    let bytes = try source.read(end.offset, end.size)
    var entries: [Entry] = []
    var names = Set<ByteName>()
    var at = 0
    for _ in 0..<end.count {
      let entry = try ZipArchive.entry(bytes, &at, place: place)
      guard names.insert(ByteName(entry.name)).inserted else {
        throw TensorFileError(.corrupt, at: place, "the archive contains '\(shown(entry.name))' twice")
      }
      entries.append(entry)
    }
    guard at == bytes.count else {
      throw TensorFileError(
        .corrupt, at: place, "the directory of the archive has more than its \(end.count) entries")
    }
    self.entries = entries
    self.source = source
  }

  /// The content of an entry.
  /// - Throws: `corrupt` where the local header or the checksum disagrees with the directory.
  func content(_ entry: Entry) throws(TensorFileError) -> [UInt8] {
    let header = try source.read(entry.offset, 30)
    guard header.number(at: 0, as: UInt32.self) == 0x0403_4b50 else {
      throw TensorFileError(.corrupt, at: source.place, "'\(shown(entry.name))' has no header where the directory says")
    }
    let lengths = Int(header.number(at: 26, as: UInt16.self)) + Int(header.number(at: 28, as: UInt16.self))
    // The header was read, so this sum does not overflow.
    let start = entry.offset + 30 + lengths
    let bytes = try source.read(start, entry.size)
    guard CRC32.checksum(bytes) == entry.checksum else {
      throw TensorFileError(.corrupt, at: source.place, "'\(shown(entry.name))' is damaged: its checksum differs")
    }
    return bytes
  }

  private struct Directory {
    var offset: Int
    var size: Int
    var count: Int
  }

  /// Finds the end record in the last 64 KiB, and the 64-bit one that it refers to in files above 4 GiB.
  private static func directory(of source: borrowing ByteSource) throws(TensorFileError) -> Directory {
    let reach = min(source.size, 22 + 65_535)
    let tail = try source.read(source.size - reach, reach)
    var at = tail.count - 22
    while at >= 0 {
      if tail.number(at: at, as: UInt32.self) == 0x0605_4b50,
        at + 22 + Int(tail.number(at: at + 20, as: UInt16.self)) == tail.count
      {
        break
      }
      at -= 1
    }
    guard at >= 0 else {
      throw TensorFileError(
        .corrupt, at: source.place, "the archive has no end record; the file is truncated or damaged")
    }
    var directory = Directory(
      offset: Int(tail.number(at: at + 16, as: UInt32.self)), size: Int(tail.number(at: at + 12, as: UInt32.self)),
      count: Int(tail.number(at: at + 10, as: UInt16.self)))
    if at >= 20, tail.number(at: at - 20, as: UInt32.self) == 0x0706_4b50 {
      let offset = tail.number(at: at - 20 + 8, as: UInt64.self)
      let record = try source.read(Int(clamping: offset), 56)
      guard record.number(at: 0, as: UInt32.self) == 0x0606_4b50 else {
        throw TensorFileError(.corrupt, at: source.place, "the archive has no 64-bit end record where it should be")
      }
      directory = Directory(
        offset: Int(clamping: record.number(at: 48, as: UInt64.self)),
        size: Int(clamping: record.number(at: 40, as: UInt64.self)),
        count: Int(clamping: record.number(at: 32, as: UInt64.self)))
    }
    // An entry of the directory takes at least 46 bytes.
    guard directory.count <= maximalEntries, directory.count <= directory.size / 46, directory.size <= source.size
    else {
      throw TensorFileError(.corrupt, at: source.place, "the archive claims \(directory.count) entries")
    }
    return directory
  }

  private static func entry(_ bytes: [UInt8], _ at: inout Int, place: String) throws(TensorFileError) -> Entry {
    func corrupt(_ message: String) -> TensorFileError { TensorFileError(.corrupt, at: place, message) }
    guard bytes.count - at >= 46, bytes.number(at: at, as: UInt32.self) == 0x0201_4b50 else {
      throw corrupt("the directory of the archive is damaged at byte \(at)")
    }
    let lengths = [28, 30, 32].map { Int(bytes.number(at: at + $0, as: UInt16.self)) }
    let next = at + 46 + lengths[0] + lengths[1] + lengths[2]
    guard next <= bytes.count else { throw corrupt("the directory of the archive is damaged at byte \(at)") }
    guard let name = String(validating: bytes[(at + 46)..<(at + 46 + lengths[0])], as: UTF8.self) else {
      throw corrupt("a name in the archive is not UTF-8")
    }
    let flags = bytes.number(at: at + 8, as: UInt16.self)
    let method = bytes.number(at: at + 10, as: UInt16.self)
    guard flags & 1 == 0, method == 0 else {
      throw TensorFileError(
        .unsupported, at: place,
        "'\(shown(name))' is \(flags & 1 == 0 ? "compressed" : "encrypted"); PyTorch stores entries uncompressed")
    }
    var packed = UInt64(bytes.number(at: at + 20, as: UInt32.self))
    var size = UInt64(bytes.number(at: at + 24, as: UInt32.self))
    var offset = UInt64(bytes.number(at: at + 42, as: UInt32.self))
    // The 64-bit field has, in this order, those of the values that do not fit in 32 bits.
    var extra = at + 46 + lengths[0]
    let end = extra + lengths[1]
    while end - extra >= 4 {
      let (id, length) = (bytes.number(at: extra, as: UInt16.self), Int(bytes.number(at: extra + 2, as: UInt16.self)))
      extra += 4
      guard length <= end - extra else { throw corrupt("'\(shown(name))' has a damaged entry in the directory") }
      if id == 1 {
        var field = extra
        func long(_ value: inout UInt64) throws(TensorFileError) {
          guard value == 0xFFFF_FFFF else { return }
          guard extra + length - field >= 8 else {
            throw corrupt("'\(shown(name))' has a damaged entry in the directory")
          }
          value = bytes.number(at: field, as: UInt64.self)
          field += 8
        }
        try long(&size)
        try long(&packed)
        try long(&offset)
      }
      extra += length
    }
    guard packed == size, size <= UInt64(Int.max), offset <= UInt64(Int.max) else {
      throw corrupt("'\(shown(name))' has two sizes, \(packed) and \(size)")
    }
    let checksum = bytes.number(at: at + 16, as: UInt32.self)
    at = next
    return Entry(name: name, offset: Int(offset), size: Int(size), checksum: checksum)
  }
}

/// The checksum of ZIP files (IEEE 802.3), eight bytes at a time.
enum CRC32 {
  /// At `256 k + b`: the contribution of byte `b` followed by `k` bytes.
  private static let table: [UInt32] = {
    var table = [UInt32](repeating: 0, count: 8 * 256)
    for byte in 0..<256 {
      var crc = UInt32(byte)
      for _ in 0..<8 { crc = crc & 1 == 1 ? (crc >> 1) ^ 0xEDB8_8320 : crc >> 1 }
      table[byte] = crc
    }
    for i in 256..<table.count {
      let before: UInt32 = table[i - 256]
      table[i] = table[Int(before & 0xFF)] ^ (before >> 8)
    }
    return table
  }()

  static func checksum(_ bytes: [UInt8]) -> UInt32 {
    table.withUnsafeBufferPointer { table in
      bytes.withUnsafeBytes { bytes in
        var crc: UInt32 = 0xFFFF_FFFF
        var i = 0
        while bytes.count - i >= 8 {
          var word: UInt64 = bytes.loadUnaligned(fromByteOffset: i, as: UInt64.self).littleEndian ^ UInt64(crc)
          crc = 0
          for following in (0..<8).reversed() {
            crc ^= table[256 * following + Int(word & 0xFF)]
            word >>= 8
          }
          i += 8
        }
        while i < bytes.count {
          let index = Int((crc ^ UInt32(bytes[i])) & 0xFF)
          crc = table[index] ^ (crc >> 8)
          i += 1
        }
        return ~crc
      }
    }
  }
}
