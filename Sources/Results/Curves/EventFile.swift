import Determinism
import PipelineModel

/// Event files that TensorBoard reads: records of a TFRecord file, each a message `Event` of `event.proto`.
///
/// The times in it are zero, so that the same curve gives the same bytes; TensorBoard draws over steps.
package enum EventFile {
  /// Of a curve, a summary for each number at its step, in the order of steps and names.
  package static func bytes(of history: History) -> [UInt8] {
    var file = [UInt8]()
    // Event.file_version.
    var version = ProtocolMessage()
    version.add(double: 0, field: 1)
    version.add(text: "brain.Event:2", field: 3)
    append(version.bytes, to: &file)
    for row in history.rows {
      for (name, value) in zip(history.names, row.values) {
        guard let value else { continue }
        append(scalar(name, value, step: row.step), to: &file)
      }
    }
    return file
  }

  private static func scalar(_ name: String, _ value: Double, step: Int) -> [UInt8] {
    var scalar = ProtocolMessage()  // Summary.Value: tag, simple_value.
    scalar.add(text: name, field: 1)
    scalar.add(float: Float(value), field: 2)
    var summary = ProtocolMessage()
    summary.add(message: scalar, field: 1)
    var event = ProtocolMessage()  // Event: wall_time, step, summary.
    event.add(double: 0, field: 1)
    event.add(integer: UInt64(clamping: step), field: 2)
    event.add(message: summary, field: 5)
    return event.bytes
  }

  /// A record: its length, the masked checksum of the length, the bytes, their masked checksum.
  private static func append(_ record: [UInt8], to file: inout [UInt8]) {
    let length = littleEndian(UInt64(record.count))
    file += length
    file += littleEndian(maskedChecksum(of: length))
    file += record
    file += littleEndian(maskedChecksum(of: record))
  }

  fileprivate static func littleEndian<I: FixedWidthInteger>(_ value: I) -> [UInt8] {
    (0..<I.bitWidth / 8).map { UInt8(truncatingIfNeeded: value >> (8 * I($0))) }
  }

  /// CRC32C (Castagnoli) as TFRecord files hold it: rotated and offset, since a checksum of checksums is a weak one.
  package static func maskedChecksum(of bytes: [UInt8]) -> UInt32 {
    let crc = checksum(of: bytes)
    return (crc >> 15 | crc << 17) &+ 0xA282_EAD8
  }

  /// CRC32C.
  package static func checksum(of bytes: [UInt8]) -> UInt32 {
    ~bytes.reduce(~0 as UInt32) { crc, byte in table[Int(UInt8(truncatingIfNeeded: crc) ^ byte)] ^ crc >> 8 }
  }

  private static let table: [UInt32] = (0..<256).map { i in
    (0..<8).reduce(UInt32(i)) { crc, _ in crc & 1 == 1 ? crc >> 1 ^ 0x82F6_3B78 : crc >> 1 }
  }
}

/// A message of protocol buffers, as far as event files need it.
private struct ProtocolMessage {
  private(set) var bytes: [UInt8] = []

  private mutating func add(varint value: UInt64) {
    var rest = value
    while rest >= 0x80 {
      bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
      rest >>= 7
    }
    bytes.append(UInt8(rest))
  }

  private mutating func begin(_ field: UInt64, wire: UInt64) { add(varint: field << 3 | wire) }

  mutating func add(integer value: UInt64, field: UInt64) {
    begin(field, wire: 0)
    add(varint: value)
  }

  mutating func add(double value: Double, field: UInt64) {
    begin(field, wire: 1)
    bytes += EventFile.littleEndian(value.bitPattern)
  }

  mutating func add(float value: Float, field: UInt64) {
    begin(field, wire: 5)
    bytes += EventFile.littleEndian(value.bitPattern)
  }

  mutating func add(text: String, field: UInt64) {
    begin(field, wire: 2)
    add(varint: UInt64(text.utf8.count))
    bytes += text.utf8
  }

  mutating func add(message: ProtocolMessage, field: UInt64) {
    begin(field, wire: 2)
    add(varint: UInt64(message.bytes.count))
    bytes += message.bytes
  }
}

extension Curve {
  /// Writes the curve as an event file into a folder of its title.
  /// - Returns: the path of the file.
  public func writeEvents(below folder: String) throws -> String {
    let name = String(title.filter { $0 != "]" }.map { $0 == "/" || $0 == "[" || $0 == "," ? "-" : $0 })
    let place = "\(folder)/\(name)"
    try FileIO.makeFolder(folder)
    try FileIO.makeFolder(place)
    let path = "\(place)/events.out.tfevents.0.autopanoptic"
    try FileIO.publish(EventFile.bytes(of: history), to: path)
    return path
  }
}
