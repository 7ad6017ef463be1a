import CCodecs
import Determinism

/// Reads one data set: where its chunks are ours, they are located by the library and read and decoded by all threads;
/// else everything goes through the library.
struct DatasetReader: ~Copyable {
  let type: ElementType
  let shape: [Int]
  private let dataset: cc_h5
  private let storage: FileStorage
  private let place: String
  /// Of chunks that are ours.
  private let layout: ChunkLayout?
  private let room: ChunkRoom

  /// What is in memory at a time where a tensor need not be there as a whole.
  private static let batchBytes = 32 << 20

  /// - Parameter remaining: how many bytes may still be read; what this data set needs is taken off.
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
    // Even with an extent of zero the others must fit: whoever multiplies them may do so in any order.
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
          "claims extents \(dims), but takes \(info.storage_size) bytes of the file; all tensors together may have "
            + "\(remaining) bytes here")
      }
      ours = DatasetReader.layout(info, shape: dims)
      // A chunk of ours that is missing is an error when it is read.
      if ours == nil && info.chunk_bytes > 0 {
        // Elements are read in runs, which pass through many chunks, and a chunk lies in many runs.
        _ = cc_h5_close_dataset(dataset)
        dataset = cc_h5_open_dataset(file, name, max(info.chunk_bytes, 64 << 20))
        try HDF5.check(dataset, .corrupt, place, "cannot be opened")
      }
      if ours == nil && bytes > 0 {
        let holes = cc_h5_has_holes(dataset)
        try HDF5.check(holes, .corrupt, place, "its storage cannot be looked at")
        guard holes == 0 else {
          throw TensorFileError(
            .unsupported, at: place, "some of its elements were never written, and no fill value says what they are")
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
    room = ChunkRoom(byteCount: DatasetReader.encodedLimit((ours?.chunkElements ?? 0) * element!.size))
  }

  /// - Throws: for a dataset that is not a tensor, or not one that this program reads.
  private static func requireReadable(
    _ info: cc_h5_info, _ element: ElementType?, place: String
  ) throws(TensorFileError) {
    guard element != nil else {
      throw TensorFileError(
        .unsupported, at: place,
        "its elements are neither IEEE numbers of 32 or 64 bits, integers of 8 to 64, nor truth values")
    }
    guard info.is_null == 0 else {
      throw TensorFileError(.unsupported, at: place, "it has no shape (a null data space), so it is no tensor")
    }
    guard info.is_plain != 0 else { throw TensorFileError(.unsupported, at: place, "its data lies in other files") }
  }

  /// The chunks where they are ours and no larger than ours are; the library takes those of others, one at a time.
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

  /// What a chunk may take in the file; also room enough for two chunks.
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
    if let wrong = tensor.untruth { throw untrue(wrong) }
    return tensor
  }

  /// Asks the library for all that reading will ask it.
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

  /// The digest of the elements, a batch in memory at a time.
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
      if type == .bool, let wrong = target.first(where: { $0 > 1 }) { throw untrue(wrong) }
      digest.update(UnsafeRawBufferPointer(target))
    }
    return digest.finalize()
  }

  private func untrue(_ byte: UInt8) -> TensorFileError {
    TensorFileError(.unsupported, at: place, "an element is \(byte), which is neither FALSE (0) nor TRUE (1)")
  }

  private func readAll(into target: UnsafeMutableRawBufferPointer) throws(TensorFileError) {
    try HDF5.locked { () throws(TensorFileError) in
      try HDF5.check(
        cc_h5_read(dataset, type.code, target.baseAddress), .corrupt, place, "its data cannot be read")
    }
  }

  /// Runs of elements through the library, whatever the layout of the file.
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

  /// Our own chunks.
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
    let sound = Parallel.map(range.count) { [storage, room] i -> Bool in
      let elements = layout.elements(of: range.lowerBound + i)
      let part = UnsafeMutableRawBufferPointer(
        rebasing: base.bytes[(elements.lowerBound - first) * size..<(elements.upperBound - first) * size])
      return storage.withBytes(at: places[i].offset, count: places[i].count, room: room) {
        ChunkCoding.decode($0, into: part, chunkBytes: chunkBytes, elementSize: size, room: room)
      } ?? false
    }
    if let broken = sound.firstIndex(of: false) {
      throw TensorFileError(
        .corrupt, at: place, "chunk \(range.lowerBound + broken) of \(layout.count) is damaged")
    }
  }

  /// Where a chunk lies in the file.
  private func locate(_ offset: [UInt64], largest: Int) throws(TensorFileError) -> (offset: UInt64, count: Int) {
    let size = cc_h5_chunk_size(dataset, offset)
    try HDF5.check(size, .corrupt, place, "chunk \(offset) cannot be found")
    guard size > 0 && size <= largest else {
      throw TensorFileError(.corrupt, at: place, "chunk \(offset) has \(size) bytes")
    }
    // The library does not know that nothing is transferred: what it fills without asking must have room.
    return try withUnsafeTemporaryAllocation(byteCount: Int(size), alignment: 16) { room throws(TensorFileError) in
      cc_storage_locate(storage.handle)
      let status = cc_h5_read_chunk(dataset, offset, room.baseAddress)
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
