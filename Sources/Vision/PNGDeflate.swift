/// A deflate encoder kept so simple that its output can be fixed for ever (RFC 1950, RFC 1951).
///
/// One block with the fixed Huffman code, in which runs of an equal byte are copied from one byte back; where that is
/// longer than the data, stored blocks. Nothing else is searched for: filtered label maps are runs of zeros.
enum PNGDeflate {
  /// `data` in the zlib format.
  static func zlibStream(of data: [UInt8]) -> [UInt8] {
    // Window of 32 KiB, lowest effort, header divisible by 31.
    var out: [UInt8] = [0x78, 0x01]
    let storedSize = data.count + 5 * max(1, (data.count + 65534) / 65535)
    if let runs = runBlock(of: data, limit: storedSize) {
      out += runs
    } else {
      appendStored(data, to: &out)
    }
    let sum = PNGChecksum.adler32(data)
    out += [UInt8(sum >> 24), UInt8(sum >> 16 & 255), UInt8(sum >> 8 & 255), UInt8(sum & 255)]
    return out
  }

  private static func appendStored(_ data: [UInt8], to out: inout [UInt8]) {
    var start = 0
    repeat {
      let count = min(65535, data.count - start)
      let last: UInt8 = start + count == data.count ? 1 : 0
      let length = UInt16(count)
      out += [last, UInt8(length & 255), UInt8(length >> 8), UInt8(~length & 255), UInt8(~length >> 8)]
      out += data[start..<start + count]
      start += count
    } while start < data.count
  }

  /// One fixed-Huffman block; nil as soon as it is longer than `limit` bytes.
  private static func runBlock(of data: [UInt8], limit: Int) -> [UInt8]? {
    var bits = BitWriter()
    bits.append(0b011, count: 3)  // last block; fixed code
    var i = 0
    while i < data.count {
      if bits.bytes.count > limit { return nil }
      let byte = data[i]
      bits.appendSymbol(Int(byte))
      i += 1
      var run = i
      while run < data.count && data[run] == byte && run - i < 258 { run += 1 }
      if run - i >= 3 {
        bits.appendLength(run - i)
        i = run
      }
    }
    bits.appendSymbol(256)
    let bytes = bits.finish()
    return bytes.count > limit ? nil : bytes
  }
}

/// Packs bits into bytes from the least significant end.
private struct BitWriter {
  private(set) var bytes = [UInt8]()
  private var buffer: UInt32 = 0
  private var filled: UInt32 = 0

  mutating func append(_ value: UInt32, count: UInt32) {
    buffer |= value << filled
    filled += count
    while filled >= 8 {
      bytes.append(UInt8(truncatingIfNeeded: buffer))
      buffer >>= 8
      filled -= 8
    }
  }

  /// A Huffman code goes most significant bit first.
  private mutating func appendCode(_ code: UInt32, count: UInt32) {
    var reversed: UInt32 = 0
    for i in 0..<count where code >> i & 1 == 1 { reversed |= 1 << (count - 1 - i) }
    append(reversed, count: count)
  }

  /// A literal or length symbol in the fixed code (RFC 1951, 3.2.6).
  mutating func appendSymbol(_ symbol: Int) {
    let s = UInt32(symbol)
    switch symbol {
    case 0...143: appendCode(0x30 + s, count: 8)
    case 144...255: appendCode(0x190 + s - 144, count: 9)
    case 256...279: appendCode(s - 256, count: 7)
    default: appendCode(0xC0 + s - 280, count: 8)
    }
  }

  /// A copy of `length` bytes (3...258) from one byte back.
  mutating func appendLength(_ length: Int) {
    if length == 258 {
      appendSymbol(285)
    } else {
      // Four codes share a number of extra bits; 3...10 have none.
      var extra = 0
      var first = 3
      var code = 257
      while length >= first + (extra == 0 ? 8 : 4 << extra) {
        first += extra == 0 ? 8 : 4 << extra
        code += extra == 0 ? 8 : 4
        extra += 1
      }
      appendSymbol(code + (length - first) >> extra)
      append(UInt32((length - first) & ((1 << extra) - 1)), count: UInt32(extra))
    }
    append(0, count: 5)  // distance code 0: one byte back
  }

  mutating func finish() -> [UInt8] {
    if filled > 0 {
      bytes.append(UInt8(truncatingIfNeeded: buffer))
      buffer = 0
      filled = 0
    }
    return bytes
  }
}

/// The two checksums of a PNG file.
enum PNGChecksum {
  private static let table: [UInt32] = (0..<256).map { n in
    (0..<8).reduce(UInt32(n)) { c, _ in c & 1 == 1 ? 0xEDB8_8320 ^ (c >> 1) : c >> 1 }
  }

  static func crc32(_ bytes: some Sequence<UInt8>) -> UInt32 {
    var c: UInt32 = 0xFFFF_FFFF
    table.withUnsafeBufferPointer { table in
      for b in bytes { c = table[Int((c ^ UInt32(b)) & 255)] ^ (c >> 8) }
    }
    return ~c
  }

  static func adler32(_ bytes: [UInt8]) -> UInt32 {
    var a: UInt32 = 1
    var b: UInt32 = 0
    var start = 0
    while start < bytes.count {
      // 5552 additions of at most 255 are the most that cannot overflow before the division.
      let end = min(start + 5552, bytes.count)
      for i in start..<end {
        a &+= UInt32(bytes[i])
        b &+= a
      }
      a %= 65521
      b %= 65521
      start = end
    }
    return b << 16 | a
  }
}
