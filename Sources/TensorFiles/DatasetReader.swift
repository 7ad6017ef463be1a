import CCodecs
import Determinism

/// Reads one data set. Chunks that this program wrote are located by the library, and read and decoded by all threads;
/// everything else is read through the library.
struct DatasetReader: ~Copyable {
  let type: ElementType
  let shape: [Int]
  private let dataset: cc_h5
  private let storage: FileStorage
  private let place: String
  /// The layout of chunks that this program wrote; nil for all other data sets.
  private let layout: ChunkLayout?
  private let scratch: ScratchBuffers

  /// Bytes in memory at a time where a tensor is processed in batches.
  private static let batchBytes = 32 << 20

  /// - Parameter remaining: how many bytes may still be read; the size of this data set is subtracted.
  init(
    _ file: cc_h5, _ storage: FileStorage, name: String, place: String, limits: ReadingLimits, remaining: inout Int
  ) throws(TensorFileError) {
    self.place = place
    self.storage = storage
    var dataset = cc_h5_open_dataset(file, name, 0)
    try HDF5.check(dataset, .corrupt, place, "cannot be opened")
    var info = cc_h5_info()
    let status = cc_h5_dataset_info(dataset, &info)
    let dims = withUnsafeBytes(of: info.shape) { raw in
      raw.bindMemory(to: UInt64.self).prefix(Int(info.rank)).map { Int(clamping: $0) }
    }
    let element = ElementType(code: info.element)
    // Even where one extent is zero, the product of the others must not overflow: it may be taken in any order.
    let most = ([element?.size ?? 1] + dims.map { max(1, $0) }).productChecked()
    let bytes = dims.contains(0) ? 0 : most ?? Int.max
    var ours: ChunkLayout?
    do throws(TensorFileError) {
      try HDF5.check(status, .corrupt, place, "its header cannot be read")
      try DatasetReader.requireReadable(info, element, place: place)
      guard most != nil, bytes <= remaining,
        bytes <= 1 << 24 || UInt64(bytes) / UInt64(limits.expansion) <= min(info.storage_size, storage.size)
      else {
        throw TensorFileError(
          .tooLarge, at: place,
          "claims the shape \(dims), but has only \(info.storage_size) bytes in the file; the remaining tensors may have "
            + "\(remaining) bytes")
      }
      ours = DatasetReader.layout(info, shape: dims)
      // In our own layout, a missing chunk is an error when it is read.
      if ours == nil && info.chunk_bytes > 0 {
        // Elements are read in runs; a run spans many chunks, and a chunk is part of many runs, so chunks are cached.
        _ = cc_h5_close_dataset(dataset)
        dataset = cc_h5_open_dataset(file, name, max(info.chunk_bytes, 64 << 20))
        try HDF5.check(dataset, .corrupt, place, "cannot be opened")
      }
      if ours == nil && bytes > 0 {
        let holes = cc_h5_has_holes(dataset)
        try HDF5.check(holes, .corrupt, place, "its storage cannot be examined")
        guard holes == 0 else {
          throw TensorFileError(
            .unsupported, at: place, "some of its elements were never written, and no fill value is defined")
        }
      }
    } catch {
      if dataset >= 0 { _ = cc_h5_close_dataset(dataset) }
      throw error
    }
    self.dataset = dataset
    remaining -= bytes
    type = element!
    shape = dims
    self.layout = ours
    scratch = ScratchBuffers(byteCount: DatasetReader.encodedLimit((ours?.chunkElements ?? 0) * element!.size))
  }

  /// - Throws: for a dataset that is not a tensor, or not one that this program reads.
  private static func requireReadable(
    _ info: cc_h5_info, _ element: ElementType?, place: String
  ) throws(TensorFileError) {
    guard element != nil else {
      throw TensorFileError(
        .unsupported, at: place,
        "its elements are neither floats of 32 or 64 bits, integers of 8 to 64, nor booleans")
    }
    guard info.is_null == 0 else {
      throw TensorFileError(.unsupported, at: place, "it has no shape (a null data space), so it is not a tensor")
    }
    guard info.is_plain != 0 else { throw TensorFileError(.unsupported, at: place, "its data is in other files") }
  }

  /// The layout of the chunks where they have our filters and size; nil for others, which the library reads one by one.
  private static func layout(_ info: cc_h5_info, shape: [Int]) -> ChunkLayout? {
    guard info.has_our_chunks != 0, !shape.contains(0) else { return nil }
    let chunk = withUnsafeBytes(of: info.chunk) { raw in
      raw.bindMemory(to: UInt64.self).prefix(Int(info.rank)).map { Int(clamping: $0) }
    }
    let layout = ChunkLayout(shape: shape, chunk: chunk)
    return layout.map { $0.chunkElements <= DatasetReader.batchBytes / 8 } ?? false ? layout : nil
  }

  deinit {
    try? HDF5.locked { [dataset] () throws(TensorFileError) in _ = cc_h5_close_dataset(dataset) }
  }

  /// The largest size of an encoded chunk that is accepted; also enough scratch memory for two chunks.
  private static func encodedLimit(_ chunkBytes: Int) -> Int { 2 * chunkBytes + 64 }

  private var byteCount: Int { shape.reduce(type.size, *) }

  /// All elements.
  func read() throws(TensorFileError) -> NamedTensor {
    let size = byteCount
    try Memory.require(size, at: place)
    var failure: TensorFileError?
    let bytes = [UInt8](unsafeUninitializedCapacity: size) { buffer, count in
      let target = UnsafeMutableRawBufferPointer(rebasing: UnsafeMutableRawBufferPointer(buffer)[..<size])
      if size >= 4 << 20 { cc_advise_large(target.baseAddress, size) }
      do throws(TensorFileError) {
        if let layout {
          try readChunks(0..<layout.count, of: layout, into: target)
        } else if size > 0 {
          try readAll(into: target)
        }
        count = size
      } catch {
        failure = error
        count = 0
      }
    }
    if let failure { throw failure }
    let tensor = NamedTensor(elementType: type, shape: shape, bytes: bytes)
    if let wrong = tensor.invalidBool { throw invalidBoolError(wrong) }
    return tensor
  }

  /// Makes all calls of the library that reading makes.
  func survey() throws(TensorFileError) {
    guard let layout else {
      _ = try digest()
      return
    }
    let largest = DatasetReader.encodedLimit(layout.chunkElements * type.size)
    for start in stride(from: 0, to: layout.count, by: 256) {
      try HDF5.locked { () throws(TensorFileError) in
        for i in start..<min(start + 256, layout.count) { _ = try locate(layout.offset(of: i), largest: largest) }
      }
    }
  }

  /// The digest of the elements, with one batch in memory at a time.
  func digest() throws(TensorFileError) -> Digest {
    var digest = TensorDigest.Builder()
    guard byteCount > 0 else { return digest.finalize() }
    let runs = layout ?? (shape.isEmpty ? nil : ChunkLayout(shape: shape, elementSize: type.size))
    guard let runs, byteCount > DatasetReader.batchBytes else {
      let tensor = try read()
      tensor.withUnsafeBytes { digest.update($0) }
      return digest.finalize()
    }
    let runBytes = runs.chunkElements * type.size
    let batch = max(1, DatasetReader.batchBytes / runBytes)
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: batch * runBytes, alignment: 64)
    defer { buffer.deallocate() }
    for start in stride(from: 0, to: runs.count, by: batch) {
      let range = start..<min(start + batch, runs.count)
      let count = (runs.elements(of: range.upperBound - 1).upperBound - runs.elements(of: start).lowerBound) * type.size
      let target = UnsafeMutableRawBufferPointer(rebasing: buffer[..<count])
      if layout != nil {
        try readChunks(range, of: runs, into: target)
      } else {
        try readRuns(range, of: runs, into: target)
      }
      if type == .bool, let wrong = target.first(where: { $0 > 1 }) { throw invalidBoolError(wrong) }
      digest.update(UnsafeRawBufferPointer(target))
    }
    return digest.finalize()
  }

  private func invalidBoolError(_ byte: UInt8) -> TensorFileError {
    TensorFileError(.unsupported, at: place, "an element is \(byte), which is neither FALSE (0) nor TRUE (1)")
  }

  private func readAll(into target: UnsafeMutableRawBufferPointer) throws(TensorFileError) {
    try HDF5.locked { () throws(TensorFileError) in
      try HDF5.check(
        cc_h5_read(dataset, type.code, target.baseAddress), .corrupt, place, "its data cannot be read")
    }
  }

  /// Reads runs of elements through the library, for any layout of the file.
  private func readRuns(
    _ range: Range<Int>, of runs: ChunkLayout, into target: UnsafeMutableRawBufferPointer
  ) throws(TensorFileError) {
    let first = runs.elements(of: range.lowerBound).lowerBound
    for i in range {
      let start = (runs.elements(of: i).lowerBound - first) * type.size
      try HDF5.locked { () throws(TensorFileError) in
        try HDF5.check(
          cc_h5_read_part(
            dataset, type.code, runs.offset(of: i), runs.extents(of: i).map(UInt64.init),
            target.baseAddress! + start), .corrupt, place, "its data cannot be read")
      }
    }
  }

  /// Reads and decodes chunks that this program wrote.
  private func readChunks(
    _ range: Range<Int>, of layout: ChunkLayout, into target: UnsafeMutableRawBufferPointer
  ) throws(TensorFileError) {
    let chunkBytes = layout.chunkElements * type.size
    let places = try HDF5.locked { () throws(TensorFileError) in
      var places = [(offset: UInt64, count: Int)]()
      places.reserveCapacity(range.count)
      for i in range {
        places.append(try locate(layout.offset(of: i), largest: DatasetReader.encodedLimit(chunkBytes)))
      }
      return places
    }
    let size = type.size
    let base = SendableBytes(target)
    let first = layout.elements(of: range.lowerBound).lowerBound
    let isIntact = Parallel.map(range.count) { [storage, scratch] i -> Bool in
      let elements = layout.elements(of: range.lowerBound + i)
      let part = UnsafeMutableRawBufferPointer(
        rebasing: base.bytes[(elements.lowerBound - first) * size..<(elements.upperBound - first) * size])
      return storage.withBytes(at: places[i].offset, count: places[i].count, scratch: scratch) {
        ChunkCoding.decode($0, into: part, chunkBytes: chunkBytes, elementSize: size, scratch: scratch)
      } ?? false
    }
    if let damaged = isIntact.firstIndex(of: false) {
      throw TensorFileError(
        .corrupt, at: place, "chunk \(range.lowerBound + damaged) of \(layout.count) is damaged")
    }
  }

  /// The offset and size of a chunk in the file.
  private func locate(_ offset: [UInt64], largest: Int) throws(TensorFileError) -> (offset: UInt64, count: Int) {
    let size = cc_h5_chunk_size(dataset, offset)
    try HDF5.check(size, .corrupt, place, "chunk \(offset) cannot be found")
    guard size > 0 && size <= largest else {
      throw TensorFileError(.corrupt, at: place, "chunk \(offset) has \(size) bytes")
    }
    // The driver transfers nothing, but the library may still write to the buffer.
    return try withUnsafeTemporaryAllocation(byteCount: Int(size), alignment: 16) { buffer throws(TensorFileError) in
      cc_storage_locate(storage.handle)
      let status = cc_h5_read_chunk(dataset, offset, buffer.baseAddress)
      var found: UInt64 = 0
      var length: UInt64 = 0
      let isLocated = cc_storage_located(storage.handle, &found, &length) != 0
      try HDF5.check(status, .corrupt, place, "chunk \(offset) cannot be read")
      guard isLocated, length == UInt64(size) else {
        throw TensorFileError(.corrupt, at: place, "chunk \(offset) cannot be located")
      }
      return (found, Int(size))
    }
  }
}

private struct SendableBytes: @unchecked Sendable {
  // Invariant: iteration i of the loop that holds this writes the elements of chunk i alone.
  let bytes: UnsafeMutableRawBufferPointer
  init(_ bytes: UnsafeMutableRawBufferPointer) { self.bytes = bytes }
}
