/// Numbers as bytes on their way to other members of a team, which run the same program on the same kind of machine.
public struct WireBytes: Sendable {
  public private(set) var bytes: [UInt8] = []

  public init() {}

  public mutating func write(_ number: Int) {
    withUnsafeBytes(of: number.littleEndian) { bytes.append(contentsOf: $0) }
  }

  /// Their number, then their bits.
  public mutating func write(_ numbers: [Double]) {
    write(numbers.count)
    for number in numbers { withUnsafeBytes(of: number.bitPattern.littleEndian) { bytes.append(contentsOf: $0) } }
  }

  /// Their number, then themselves.
  public mutating func write(_ block: [UInt8]) {
    write(block.count)
    bytes += block
  }
}

/// Reads what `WireBytes` wrote, in the same order. Anything else is a programmer's mistake.
public struct WireReader {
  private let bytes: [UInt8]
  private var place = 0

  public init(_ bytes: [UInt8]) { self.bytes = bytes }

  public mutating func integer() -> Int { Int(truncatingIfNeeded: word()) }

  public mutating func doubles() -> [Double] { (0..<integer()).map { _ in Double(bitPattern: word()) } }

  public mutating func block() -> [UInt8] {
    let count = integer()
    precondition(count >= 0 && count <= bytes.count - place, "WireReader: a block of \(count) bytes")
    defer { place += count }
    return Array(bytes[place..<place + count])
  }

  /// A block that is text; broken characters are replaced.
  public mutating func text() -> String { String(decoding: block(), as: UTF8.self) }

  private mutating func word() -> UInt64 {
    precondition(bytes.count - place >= 8, "WireReader: nothing left at \(place)")
    defer { place += 8 }
    return UInt64(littleEndian: bytes.withUnsafeBytes { $0.loadUnaligned(fromByteOffset: place, as: UInt64.self) })
  }
}
