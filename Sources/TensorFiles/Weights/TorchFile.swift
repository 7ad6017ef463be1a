import Determinism

/// Reads state dictionaries as `torch.save` has written them since version 1.6: a ZIP file with a pickle that describes
/// the tensors, and an entry of raw elements for each storage.
///
/// Keys of nested dictionaries are joined with dots (`model.conv1.weight`). Entries that are not tensors are skipped and
/// reported to the caller.
enum TorchFile {
  /// Limits: nesting of dictionaries, number of tensors.
  private static let maximalDepth = 16
  private static let maximalTensors = 1 << 20

  /// - Parameter note: receives a description of what is skipped.
  static func read(
    _ source: consuming ByteSource, note: (String) -> Void
  ) throws(TensorFileError) -> [(name: String, tensor: NamedTensor)] {
    let (place, size) = (source.place, source.size)
    let archive = try ZipArchive(source)
    // All entries are in one folder, which has the name of the file as it was saved.
    let pickles = archive.entries.filter {
      let parts = $0.name.splitBytes(at: UInt8(ascii: "/"))
      return parts.count == 2 && parts[1].hasSameBytes(as: "data.pkl")
    }
    guard let pickle = pickles.first, pickles.count == 1 else {
      throw TensorFileError(
        .unsupported, at: place, "a ZIP file, but not one that torch.save wrote: it has no 'data.pkl'")
    }
    let folder = String(decoding: pickle.name.utf8.dropLast("data.pkl".utf8.count), as: UTF8.self)
    guard pickle.size <= Pickle.maximalSize else {
      throw TensorFileError(
        .tooLarge, at: place, "its pickle has \(pickle.size) bytes; at most \(Pickle.maximalSize) are allowed")
    }
    var entries: [ByteName: ZipArchive.Entry] = [:]
    for entry in archive.entries { entries[ByteName(entry.name)] = entry }
    if let order = entries[ByteName(folder + "byteorder")] {
      guard order.size < 16, try archive.content(order) == Array("little".utf8) else {
        throw TensorFileError(.unsupported, at: place, "its numbers are big-endian; save it on a little-endian machine")
      }
    }
    let content = try Pickle(try archive.content(pickle), place: "\(place): \(pickle.name)")
    let references = try flattened(content, place: place, note: note)

    // Several tensors may share a storage; it is read and its checksum verified once.
    var storages: [ByteName: [UInt8]] = [:]
    var total = 0
    var result: [(name: String, tensor: NamedTensor)] = []
    for (name, reference) in references {
      let storage = reference.storage
      guard storage.count <= size / storage.type.size else {
        throw TensorFileError(
          .corrupt, at: place, "storage '\(shown(storage.key))' claims \(storage.count) elements; the file is smaller")
      }
      let count = try elementCount(reference, place: "\(place): '\(shown(name))'")
      total = total.addingSaturated(count * storage.type.size)
      guard total <= size.multipliedSaturated(by: 4).addingSaturated(1024) else {
        throw TensorFileError(.tooLarge, at: place, "its tensors take more than four times the size of the file")
      }
      let key = ByteName(storage.key)
      if storages[key] == nil {
        guard let entry = entries[ByteName("\(folder)data/\(storage.key)")] else {
          throw TensorFileError(
            .corrupt, at: place, "'\(shown(name))' is in storage '\(shown(storage.key))', which is missing")
        }
        storages[key] = try archive.content(entry)
      }
      let bytes = storages[key]!
      guard bytes.count == storage.count * storage.type.size else {
        throw TensorFileError(
          .corrupt, at: place,
          "storage '\(shown(storage.key))' has \(bytes.count) bytes for \(storage.count) elements of "
            + "\(storage.type.size)")
      }
      result.append((name, storage.type.tensor(gather(reference, count: count, bytes), shape: reference.shape)))
    }
    return result
  }

  /// The tensors with their joined keys, in the order of the file.
  private static func flattened(
    _ pickle: Pickle, place: String, note: (String) -> Void
  ) throws(TensorFileError) -> [(name: String, tensor: Pickle.TensorReference)] {
    var result: [(name: String, tensor: Pickle.TensorReference)] = []
    var reached = Set<Int>()
    var others: [String] = []
    var visited = 0
    guard case .dictionary(let root) = pickle.result else {
      throw TensorFileError(.unsupported, at: place, "contains no dictionary of tensors")
    }
    // Dictionaries still to be visited, the next one last; a file may refer to one from several places.
    var open: [(prefix: String, index: Int, member: Int, depth: Int)] = [("", root, 0, 1)]
    while let (prefix, index, member, depth) = open.popLast() {
      let members = pickle.containers[index]
      guard member < members.count else { continue }
      open.append((prefix, index, member + 1, depth))
      visited += 1
      guard visited <= maximalTensors else {
        throw TensorFileError(.tooLarge, at: place, "contains more than \(maximalTensors) entries")
      }
      guard let key = key(members[member].key, in: pickle) else {
        others.append(prefix + "(a key that is neither text nor an integer)")
        continue
      }
      let name = try WeightsFile.checked(prefix + key, place: place)
      switch members[member].value {
      case .tensor(let tensor):
        reached.insert(tensor)
        result.append((name, pickle.tensors[tensor]))
      case .dictionary(let inner):
        guard depth < maximalDepth else {
          throw TensorFileError(
            .unsupported, at: place, "dictionaries are nested more than \(maximalDepth) levels deep")
        }
        open.append((name + ".", inner, 0, depth + 1))
      default: others.append(name)
      }
    }
    if let first = others.first { note("\(others.count) entries that are not tensors, such as '\(shown(first))'") }
    let lost = pickle.tensors.count - reached.count
    if lost > 0 { note("\(lost) tensors that are in lists or outside the dictionary") }
    return result
  }

  private static func key(_ value: Pickle.Value, in pickle: Pickle) -> String? {
    if case .integer(let number) = value { return String(number) }
    return pickle.text(value)
  }

  /// The number of elements of a tensor.
  /// - Throws: `corrupt` where some are outside its storage, `unsupported` for an expanded tensor.
  static func elementCount(_ tensor: Pickle.TensorReference, place: String) throws(TensorFileError) -> Int {
    let outside = TensorFileError(.corrupt, at: place, "\(tensor.shape) elements extend beyond their storage")
    guard let bytes = tensor.storage.type.byteCount(tensor.shape) else { throw outside }
    if bytes == 0 { return 0 }
    let count = bytes / tensor.storage.type.size
    var last = tensor.offset
    for (extent, stride) in zip(tensor.shape, tensor.strides) {
      guard let reach = (extent - 1).multipliedChecked(by: stride), let end = last.addingChecked(reach) else {
        throw outside
      }
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
  static func gather(_ tensor: Pickle.TensorReference, count: Int, _ storage: [UInt8]) -> [UInt8] {
    let size = tensor.storage.type.size
    if count == 0 { return [] }
    // The stride of an axis with one element is arbitrary.
    let axes = zip(tensor.shape, tensor.strides).filter { $0.0 > 1 }.map { (extent: $0.0, stride: $0.1) }
    var dense = 1
    var isDense = true
    for axis in axes.reversed() {
      if axis.stride != dense { isDense = false }
      dense *= axis.extent
    }
    if isDense { return Array(storage[(tensor.offset * size)..<((tensor.offset + count) * size)]) }
    var bytes: [UInt8] = []
    bytes.reserveCapacity(count * size)
    var index = [Int](repeating: 0, count: axes.count)
    var at = tensor.offset
    for _ in 0..<count {
      bytes += storage[(at * size)..<((at + 1) * size)]
      for axis in axes.indices.reversed() {
        index[axis] += 1
        if index[axis] < axes[axis].extent {
          at += axes[axis].stride
          break
        }
        at -= (axes[axis].extent - 1) * axes[axis].stride
        index[axis] = 0
      }
    }
    return bytes
  }
}
