import Determinism

/// Reads the arguments of a pickle's instructions, one after the other.
struct PickleCursor {
  private let bytes: [UInt8]
  private let place: String
  private var at = 0

  init(_ bytes: [UInt8], place: String) {
    self.bytes = bytes
    self.place = place
  }

  var isAtEnd: Bool { at == bytes.count }

  private func corrupt(_ message: String) -> TensorFileError { TensorFileError(.corrupt, at: place, message) }

  /// Skips bytes.
  /// - Returns: the offset of the first.
  mutating func take(_ count: Int) throws(TensorFileError) -> Int {
    guard count >= 0, count <= bytes.count - at else { throw corrupt("the pickle ends inside an instruction") }
    defer { at += count }
    return at
  }

  /// A little-endian number.
  mutating func number<T: FixedWidthInteger>(_ type: T.Type) throws(TensorFileError) -> Int {
    Int(clamping: bytes.number(at: try take(MemoryLayout<T>.size), as: type))
  }

  /// A signed little-endian number, after its length in bytes.
  mutating func longNumber() throws(TensorFileError) -> Int {
    let count = try number(UInt8.self)
    guard count <= 8 else { throw corrupt("a number of \(count) bytes") }
    let start = try take(count)
    var value = count > 0 && bytes[start + count - 1] >= 128 ? -1 : 0
    for i in (0..<count).reversed() { value = value << 8 | Int(bytes[start + i]) }
    return value
  }

  mutating func bigEndianDouble() throws(TensorFileError) -> Double {
    let start = try take(8)
    return Double(bitPattern: (0..<8).reduce(UInt64(0)) { $0 << 8 | UInt64(bytes[start + $1]) })
  }

  /// The next bytes, as UTF-8.
  mutating func text(_ count: Int) throws(TensorFileError) -> Pickle.Part {
    let start = try take(count)
    guard String(validating: bytes[start..<start + count], as: UTF8.self) != nil else {
      throw corrupt("a text in the pickle is not UTF-8")
    }
    return Pickle.Part(start: UInt32(start), count: UInt32(count))
  }

  /// The text up to the next line feed, without the line feed.
  mutating func line() throws(TensorFileError) -> String {
    guard let end = bytes[at...].prefix(1024).firstIndex(of: 10) else {
      throw corrupt("the pickle ends inside a name, or the name is too long")
    }
    let part = try text(end - at)
    at += 1
    return String(decoding: bytes[part.range], as: UTF8.self)
  }
}
