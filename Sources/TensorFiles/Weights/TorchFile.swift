/// A state dictionary as `torch.save` has written it since version 1.6: a ZIP file with a pickle that describes the
/// tensors, and an entry of raw elements for each storage.
///
/// Dictionaries inside dictionaries join their keys with points (`model.conv1.weight`); what is no tensor is left out.
enum TorchFile {
  /// Deepest nesting of dictionaries, and most tensors.
  private static let maximalDepth = 16
  private static let maximalTensors = 1 << 20
  private static let maximalPickle = 256 << 20

  static func read(_ source: consuming ByteSource) throws(TensorFileError) -> [(name: String, tensor: NamedTensor)] {
    let (place, size) = (source.place, source.size)
    let archive = try ZipArchive(source)
    // All entries lie below one folder, whose name is that of the file as it was saved.
    let pickles = archive.entries.filter { $0.name.hasSuffix("/data.pkl") && $0.name.split(separator: "/").count == 2 }
    guard let pickle = pickles.first, pickles.count == 1 else {
      throw TensorFileError(.unsupported, at: place, "a ZIP file, but none that torch.save wrote: no 'data.pkl' in it")
    }
    let folder = String(pickle.name.dropLast("data.pkl".count))
    guard pickle.size <= maximalPickle else {
      throw TensorFileError(.tooLarge, at: place, "its pickle has \(pickle.size) bytes; \(maximalPickle) are read")
    }
    var entries: [String: ZipArchive.Entry] = [:]
    for entry in archive.entries { entries[entry.name] = entry }
    if let order = entries[folder + "byteorder"] {
      guard order.size < 16, try archive.content(order) == Array("little".utf8) else {
        throw TensorFileError(.unsupported, at: place, "its numbers are big-endian; save it on another machine")
      }
    }
    let content = try Pickle(try archive.content(pickle), place: "\(place): \(pickle.name)")
    let references = try flattened(content, place: place)

    // One storage may stand behind several tensors; it is read and its checksum computed once, one after the other.
    var storages: [String: [UInt8]] = [:]
    var total = 0
    var result: [(name: String, tensor: NamedTensor)] = []
    for (name, reference) in references {
      let storage = reference.storage
      guard storage.count <= size / storage.type.size else {
        throw TensorFileError(
          .corrupt, at: place, "storage '\(storage.key)' claims \(storage.count) elements; the file is smaller")
      }
      let count = try elementCount(reference, place: "\(place): '\(name)'")
      total += count * storage.type.size
      guard total <= 4 * size + 1024 else {
        throw TensorFileError(.tooLarge, at: place, "its tensors take more than four times what the file holds")
      }
      if storages[storage.key] == nil {
        guard let entry = entries["\(folder)data/\(storage.key)"] else {
          throw TensorFileError(.corrupt, at: place, "'\(name)' lies in storage '\(storage.key)', which is missing")
        }
        storages[storage.key] = try archive.content(entry)
      }
      let bytes = storages[storage.key]!
      guard bytes.count == storage.count * storage.type.size else {
        throw TensorFileError(
          .corrupt, at: place,
          "storage '\(storage.key)' has \(bytes.count) bytes for \(storage.count) elements of \(storage.type.size)")
      }
      result.append((name, storage.type.tensor(gather(reference, count: count, bytes), shape: reference.shape)))
    }
    return result
  }

  /// The tensors with the keys that lead to them, in the order of the file.
  private static func flattened(
    _ pickle: Pickle, place: String
  ) throws(TensorFileError) -> [(name: String, tensor: Pickle.TensorReference)] {
    var result: [(name: String, tensor: Pickle.TensorReference)] = []
    var visited = 0
    // Dictionaries still to be walked, the next one last; a file may let one stand in many places.
    guard case .dictionary(let root) = pickle.result else {
      throw TensorFileError(.unsupported, at: place, "holds no dictionary of tensors")
    }
    var open: [(prefix: String, index: Int, member: Int, depth: Int)] = [("", root, 0, 1)]
    while let (prefix, index, member, depth) = open.popLast() {
      guard case .members(let members) = pickle.containers[index], member < members.count else { continue }
      open.append((prefix, index, member + 1, depth))
      visited += 1
      guard visited <= maximalTensors else {
        throw TensorFileError(.tooLarge, at: place, "holds more than \(maximalTensors) entries")
      }
      let name: String
      switch members[member].key {
      case .text(let key): name = prefix + key
      case .integer(let key): name = prefix + String(key)
      default: continue
      }
      switch members[member].value {
      case .tensor(let tensor): result.append((name, tensor))
      case .dictionary(let inner):
        guard depth < maximalDepth else {
          throw TensorFileError(.unsupported, at: place, "dictionaries lie more than \(maximalDepth) deep")
        }
        open.append((name + ".", inner, 0, depth + 1))
      default: continue
      }
    }
    return result
  }

  /// Elements of a tensor, all inside its storage.
  private static func elementCount(_ tensor: Pickle.TensorReference, place: String) throws(TensorFileError) -> Int {
    let outside = TensorFileError(.corrupt, at: place, "\(tensor.shape) elements reach beyond their storage")
    guard let bytes = tensor.storage.type.byteCount(tensor.shape) else { throw outside }
    if bytes == 0 { return 0 }
    let count = bytes / tensor.storage.type.size
    var last = tensor.offset
    for (extent, stride) in zip(tensor.shape, tensor.strides) {
      let (reach, isTooFar) = (extent - 1).multipliedReportingOverflow(by: stride)
      let (end, isBeyond) = last.addingReportingOverflow(reach)
      if isTooFar || isBeyond { throw outside }
      last = end
    }
    guard last < tensor.storage.count else { throw outside }
    guard count <= tensor.storage.count else {
      throw TensorFileError(
        .unsupported, at: place, "an expanded tensor repeats elements; save a copy of it (tensor.contiguous())")
    }
    return count
  }

  /// The elements in row-major order.
  private static func gather(_ tensor: Pickle.TensorReference, count: Int, _ storage: [UInt8]) -> [UInt8] {
    let size = tensor.storage.type.size
    if count == 0 { return [] }
    var dense = 1
    var isDense = true
    for (extent, stride) in zip(tensor.shape, tensor.strides).reversed() where extent > 1 {
      if stride != dense { isDense = false }
      dense *= extent
    }
    if isDense { return Array(storage[(tensor.offset * size)..<((tensor.offset + count) * size)]) }
    var bytes: [UInt8] = []
    bytes.reserveCapacity(count * size)
    var index = [Int](repeating: 0, count: tensor.shape.count)
    var at = tensor.offset
    for _ in 0..<count {
      bytes += storage[(at * size)..<((at + 1) * size)]
      for axis in index.indices.reversed() {
        index[axis] += 1
        at += tensor.strides[axis]
        if index[axis] < tensor.shape[axis] { break }
        at -= tensor.shape[axis] * tensor.strides[axis]
        index[axis] = 0
      }
    }
    return bytes
  }
}
