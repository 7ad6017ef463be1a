import Determinism

/// Reads safetensors files: a JSON header with names, types and offsets, then the elements.
///
/// - SeeAlso: https://github.com/huggingface/safetensors, "Format". As it requires, elements fill the file without gaps
///   or overlaps.
enum SafetensorsFile {
  private static let maximalHeader = 100_000_000
  /// Limit on the values in the header; a tensor has about ten.
  private static let maximalValues = 4_000_000

  /// - Parameter note: receives a description of what is skipped.
  static func read(
    _ source: consuming ByteSource, note: (String) -> Void
  ) throws(TensorFileError) -> [(name: String, tensor: NamedTensor)] {
    let place = source.place
    let length = try source.read(0, 8).number(at: 0, as: UInt64.self)
    guard length <= UInt64(maximalHeader), Int(length) <= source.size - 8 else {
      throw TensorFileError(.corrupt, at: place, "claims a header of \(length) bytes")
    }
    let start = 8 + Int(length)
    let text = try source.read(8, Int(length))
    guard values(in: text) <= maximalValues else {
      throw TensorFileError(.tooLarge, at: place, "its header has more than \(maximalValues) values")
    }
    let header: JSONTree
    do throws(JSONError) {
      header = try JSONTree.parse(text)
    } catch {
      throw TensorFileError(.corrupt, at: place, "its header is not JSON: \(error)")
    }
    guard case .object(let members) = header else {
      throw TensorFileError(.corrupt, at: place, "its header is \(header.kind), not an object")
    }
    var items: [Item] = []
    for member in members {
      if member.name.hasSameBytes(as: "__metadata__") {
        noteMetadata(member.value, note)
      } else {
        items.append(try item(member, place: place))
      }
    }
    // Sorted by offset, so that gaps show.
    var end = 0
    for item in items.sorted(by: { ($0.begin, $0.end) < ($1.begin, $1.end) }) {
      guard item.begin == end else {
        throw TensorFileError(
          .corrupt, at: place, "'\(shown(item.name))' begins at byte \(item.begin) where \(end) is expected")
      }
      end = item.end
    }
    guard end == source.size - start else {
      throw TensorFileError(.corrupt, at: place, "its tensors take \(end) bytes, the file has \(source.size - start)")
    }
    var result: [(name: String, tensor: NamedTensor)] = []
    for item in items {
      let bytes = try source.read(start + item.begin, item.end - item.begin)
      result.append((item.name, item.type.tensor(bytes, shape: item.shape)))
    }
    return result
  }

  /// An upper bound of the number of values, before any is made: each starts with or follows one of these characters,
  /// which count outside of strings only.
  private static func values(in text: [UInt8]) -> Int {
    var count = 1
    var isString = false
    var isEscaped = false
    for byte in text {
      if isString {
        if isEscaped {
          isEscaped = false
        } else if byte == UInt8(ascii: "\\") {
          isEscaped = true
        } else if byte == UInt8(ascii: "\"") {
          isString = false
        }
      } else {
        switch byte {
        case UInt8(ascii: "\""): isString = true
        case UInt8(ascii: ","), UInt8(ascii: "["), UInt8(ascii: "{"), UInt8(ascii: ":"): count += 1
        default: break
        }
      }
    }
    return count
  }

  private static func noteMetadata(_ value: JSONTree, _ note: (String) -> Void) {
    guard case .object(let members) = value else { return note("metadata") }
    guard let first = members.first else { return }
    note("\(members.count) entries of metadata, such as '\(shown(first.name.prefix(80)))'")
  }

  private struct Item {
    var name: String
    var type: ForeignElementType
    var shape: [Int]
    var begin: Int
    var end: Int
  }

  private static func item(_ member: JSONTree.Member, place: String) throws(TensorFileError) -> Item {
    let name = try WeightsFile.checked(member.name, place: place)
    let place = "\(place): '\(shown(name))'"
    func integers(_ tree: JSONTree?) -> [Int]? {
      guard case .array(let elements) = tree else { return nil }
      let numbers = elements.compactMap { element -> Int? in
        if case .integer(let number) = element, number >= 0 { number } else { nil }
      }
      return numbers.count == elements.count ? numbers : nil
    }
    guard case .object(let fields) = member.value else {
      throw TensorFileError(.corrupt, at: place, "is described by \(member.value.kind)")
    }
    func field(_ name: String) -> JSONTree? { fields.first { $0.name.hasSameBytes(as: name) }?.value }
    guard case .string(let typeName) = field("dtype"), let shape = integers(field("shape")), shape.count <= 32,
      let offsets = integers(field("data_offsets")), offsets.count == 2, fields.count == 3
    else {
      throw TensorFileError(.corrupt, at: place, "needs 'dtype', 'shape' and 'data_offsets', and nothing else")
    }
    guard let type = ForeignElementType(safetensors: typeName) else {
      throw TensorFileError(.unsupported, at: place, "elements of type '\(typeName)' are not supported")
    }
    guard let bytes = type.byteCount(shape) else {
      throw TensorFileError(.corrupt, at: place, "has the impossible shape \(shape)")
    }
    guard offsets[0] <= offsets[1], offsets[1] - offsets[0] == bytes else {
      throw TensorFileError(
        .corrupt, at: place,
        "\(shape) \(typeName) takes \(bytes) bytes, but its offsets are \(offsets[0])..<\(offsets[1])")
    }
    return Item(name: member.name, type: type, shape: shape, begin: offsets[0], end: offsets[1])
  }
}
