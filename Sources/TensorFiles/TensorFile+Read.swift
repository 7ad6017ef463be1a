import CCodecs
import Determinism

/// Bounds on what a reader believes.
public struct ReadingLimits: Sendable {
  /// Bytes of all tensors together.
  public var totalBytes: Int
  /// Bytes of one tensor for each byte it takes in the file. LZ4 and deflate stay below 1100.
  public var expansion: Int

  public init(totalBytes: Int = 16 << 30, expansion: Int = 2048) {
    self.totalBytes = totalBytes
    self.expansion = expansion
  }
}

extension TensorFile {
  /// Reads a whole file into memory.
  ///
  /// Soft and external links are not followed, named types are ignored. The library can crash on malformed files:
  /// open here only files whose bytes were verified, and read others through `ForeignFile`.
  /// - Throws: `TensorFileError`, with the path and the object.
  public static func read(_ path: String, limits: ReadingLimits = ReadingLimits()) throws(TensorFileError) -> TensorFile
  {
    try read(place: path, limits: limits) { cc_h5_open(path) }
  }

  /// Reads a file from bytes that were verified in memory.
  /// - Parameter place: names the bytes in errors.
  public init(bytes: [UInt8], place: String, limits: ReadingLimits = ReadingLimits()) throws(TensorFileError) {
    self = try TensorFile.read(place: place, limits: limits) { cc_h5_open_image(bytes, bytes.count) }
  }

  private static func read(
    place: String, limits: ReadingLimits, open: () -> cc_h5
  ) throws(TensorFileError) -> TensorFile {
    let file = try HDF5.locked { () throws(TensorFileError) in
      let file = open()
      try HDF5.check(file, .unreadable, place, "cannot be opened as HDF5")
      return file
    }
    defer { try? HDF5.locked { () throws(TensorFileError) in _ = cc_h5_close_file(file) } }

    let outline = try HDF5.locked { () throws(TensorFileError) in try Outline(file, place: place) }
    var remaining = limits.totalBytes
    var entries = [Entry]()
    for name in outline.datasets {
      let reader = try HDF5.locked { () throws(TensorFileError) in
        return try DatasetReader(file, name: name, place: "\(place): '\(name)'", limits: limits, remaining: &remaining)
      }
      entries.append(Entry(name: name, tensor: try reader.read()))
    }
    entries.sort { precedes($0.name, $1.name) }
    return TensorFile(
      sorted: entries, attributes: outline.attributes[""] ?? [:],
      objectAttributes: outline.attributes.filter { !$0.key.isEmpty })
  }
}

/// The objects of a file and their attributes.
private struct Outline {
  var datasets = [String]()
  /// Only objects that have any.
  var attributes = [String: [String: CanonicalValue]]()

  init(_ file: cc_h5, place: String) throws(TensorFileError) {
    var list = cc_h5_list()
    defer { cc_h5_list_free(&list) }
    let status = cc_h5_walk(file, &list)
    try HDF5.check(status, .corrupt, place, "the groups cannot be walked")
    for i in 0..<list.count {
      let path = String(cString: list.paths[i]!)
      if list.is_dataset[i] != 0 { datasets.append(path) }
      let found = try Attributes.read(file, object: path, place: path.isEmpty ? place : "\(place): '\(path)'")
      if !found.isEmpty { attributes[path] = found }
    }
  }
}

/// Reads one data set: raw chunks in turn, decoded by all threads, where they are ours; else through the library.
private struct DatasetReader: ~Copyable {
  let dataset: cc_h5
  let place: String
  let type: ElementType
  let shape: [Int]
  let slabs: Slabs?

  /// - Parameter remaining: how many bytes may still be read; what this data set needs is taken off.
  init(_ file: cc_h5, name: String, place: String, limits: ReadingLimits, remaining: inout Int) throws(TensorFileError)
  {
    self.place = place
    dataset = cc_h5_open_dataset(file, name)
    try HDF5.check(dataset, .corrupt, place, "cannot be opened")
    var info = cc_h5_info()
    let status = cc_h5_dataset_info(dataset, &info)
    var failure: TensorFileError?
    if status < 0 { failure = TensorFileError(.corrupt, at: place, "its header cannot be read: \(HDF5.reason)") }
    let dims = withUnsafeBytes(of: info.shape) { raw in Array(raw.bindMemory(to: UInt64.self).prefix(Int(info.rank))) }
    let element = ElementType(code: info.element)
    var bytes = element?.size ?? 1
    var overflow = false
    for extent in dims where !overflow {
      (bytes, overflow) = extent > UInt64(Int.max) ? (0, true) : bytes.multipliedReportingOverflow(by: Int(extent))
    }
    if failure == nil && element == nil {
      failure = TensorFileError(.unsupported, at: place, "elements are neither numbers nor truth values")
    } else if failure == nil && info.is_plain == 0 {
      failure = TensorFileError(.unsupported, at: place, "its data lies in other files")
    } else if failure == nil
      && (overflow || bytes > remaining
        || (bytes > 1 << 24 && UInt64(bytes) / UInt64(limits.expansion) > info.storage_size))
    {
      failure = TensorFileError(
        .tooLarge, at: place, "claims extents \(dims), but takes \(info.storage_size) bytes of the file")
    }
    if let failure {
      _ = cc_h5_close_dataset(dataset)
      throw failure
    }
    remaining -= bytes
    type = element!
    shape = dims.map(Int.init)
    let chunk = withUnsafeBytes(of: info.chunk) { raw in
      Array(raw.bindMemory(to: UInt64.self).prefix(Int(info.rank))).map { Int(truncatingIfNeeded: $0) }
    }
    slabs = info.has_our_chunks != 0 && bytes > 0 ? Slabs(shape: shape, chunk: chunk) : nil
  }

  deinit {
    try? HDF5.locked { [dataset] () throws(TensorFileError) in _ = cc_h5_close_dataset(dataset) }
  }

  func read() throws(TensorFileError) -> NamedTensor {
    let size = shape.reduce(type.size, *)
    var bytes = [UInt8](repeating: 0, count: size)
    if let slabs {
      try readChunks(slabs, into: &bytes)
    } else if size > 0 {
      var copy = bytes
      bytes = []
      try HDF5.locked { () throws(TensorFileError) in
        try HDF5.check(cc_h5_read(dataset, type.code, &copy), .corrupt, place, "its data cannot be read")
      }
      bytes = copy
    }
    return NamedTensor(elementType: type, shape: shape, bytes: bytes)
  }

  private func readChunks(_ slabs: Slabs, into bytes: inout [UInt8]) throws(TensorFileError) {
    let chunkBytes = slabs.chunkElements * type.size
    let batch = max(1, (64 << 20) / chunkBytes)
    for start in stride(from: 0, to: slabs.count, by: batch) {
      let range = start..<min(start + batch, slabs.count)
      let packed = try HDF5.locked { () throws(TensorFileError) in
        var packed = [[UInt8]]()
        for i in range { packed.append(try rawChunk(at: slabs.offset(of: i), largest: 2 * chunkBytes + 64)) }
        return packed
      }
      let size = type.size
      let sound = bytes.withUnsafeMutableBytes { target in
        let base = SendableBytes(target)
        return Parallel.map(range.count) { i in
          let elements = slabs.elements(of: start + i)
          return ChunkCoding.decode(
            packed[i],
            into: UnsafeMutableRawBufferPointer(
              rebasing: base.bytes[elements.lowerBound * size..<elements.upperBound * size]),
            chunkBytes: chunkBytes, elementSize: size)
        }
      }
      if let broken = sound.firstIndex(of: false) {
        throw TensorFileError(.corrupt, at: place, "chunk \(start + broken) of \(slabs.count) is damaged")
      }
    }
  }

  private func rawChunk(at offset: [UInt64], largest: Int) throws(TensorFileError) -> [UInt8] {
    let size = cc_h5_chunk_size(dataset, offset)
    try HDF5.check(size, .corrupt, place, "chunk \(offset) cannot be found")
    guard size > 0 && size <= largest else {
      throw TensorFileError(.corrupt, at: place, "chunk \(offset) has \(size) bytes")
    }
    var bytes = [UInt8](repeating: 0, count: Int(size))
    try HDF5.check(cc_h5_read_chunk(dataset, offset, &bytes), .corrupt, place, "chunk \(offset) cannot be read")
    return bytes
  }
}

private struct SendableBytes: @unchecked Sendable {
  // Invariant: iteration i of the loop that holds this writes the elements of chunk i alone.
  let bytes: UnsafeMutableRawBufferPointer
  init(_ bytes: UnsafeMutableRawBufferPointer) { self.bytes = bytes }
}
