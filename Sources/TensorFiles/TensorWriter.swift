import CCodecs
import Determinism
import Foundation

/// Writes the tensors of a file, in order: while all threads compress a batch of chunks, the batch before it is written
/// to the disk.
struct TensorWriter {
  let file: cc_h5
  let storage: FileStorage
  /// For messages.
  let place: String

  /// The largest encoded size of a batch of chunks in bytes; two batches are in memory at a time.
  private static let batchBytes = 32 << 20

  /// A chunk, or a whole small tensor.
  private struct Job {
    let entry: TensorFile.Entry
    /// Nil for a small tensor, which is stored contiguously.
    let layout: ChunkLayout?
    let chunk: Int
    /// Offset of the encoded chunk in the batch's buffer.
    let start: Int

    var isFirst: Bool { chunk == 0 }
    var isLast: Bool { chunk + 1 == (layout?.count ?? 1) }
  }

  /// An encoded chunk and its offset in the file.
  struct Piece {
    let bytes: UnsafeRawBufferPointer
    let offset: UInt64
  }

  private let scratch = ScratchBuffers(byteCount: 2 * ChunkLayout.maximalBytes)
  /// The data set that is being written.
  private var dataset: cc_h5 = -1

  init(file: cc_h5, storage: FileStorage, place: String) {
    self.file = file
    self.storage = storage
    self.place = place
  }

  mutating func write(_ entries: [TensorFile.Entry]) throws(TensorFileError) {
    let buffers = [TensorWriter.buffer(), TensorWriter.buffer()]
    defer { for buffer in buffers { buffer.deallocate() } }
    defer { if dataset >= 0 { try? close() } }
    var cursor = Cursor(entries: entries)
    var pending: [Piece] = []
    var current = 0
    while true {
      let jobs = cursor.next()
      if jobs.isEmpty && pending.isEmpty { return }
      let sizes = try encode(jobs, into: buffers[current], meanwhile: pending)
      pending = try layOut(jobs, sizes: sizes, buffer: buffers[current])
      current = 1 - current
    }
  }

  private static func buffer() -> UnsafeMutableRawBufferPointer {
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: batchBytes, alignment: 64)
    cc_advise_large(buffer.baseAddress, buffer.count)
    return buffer
  }

  /// Splits the entries into batches.
  private struct Cursor {
    let entries: [TensorFile.Entry]
    private var entry = 0
    private var chunk = 0

    init(entries: [TensorFile.Entry]) { self.entries = entries }

    mutating func next() -> [Job] {
      var jobs = [Job]()
      var start = 0
      while entry < entries.count {
        let tensor = entries[entry].tensor
        let size = tensor.elementType.size
        let layout = tensor.isChunked ? ChunkLayout(shape: tensor.shape, elementSize: size) : nil
        let bound = layout.map { ChunkCoding.bound(chunkBytes: $0.chunkElements * size, elementSize: size) } ?? 0
        while chunk < layout?.count ?? 1 {
          if start + bound > batchBytes || jobs.count == 4096 { return jobs }
          jobs.append(Job(entry: entries[entry], layout: layout, chunk: chunk, start: start))
          start += bound
          chunk += 1
        }
        entry += 1
        chunk = 0
      }
      return jobs
    }
  }

  /// Encodes chunks on all threads, while one of them writes the batch before.
  /// - Returns: the encoded sizes.
  private func encode(
    _ jobs: [Job], into buffer: UnsafeMutableRawBufferPointer, meanwhile pending: [Piece]
  ) throws(TensorFileError) -> [Int] {
    let target = SendableBuffer(buffer)
    let pieces = SendablePieces(pending)
    let results = Parallel.map(jobs.count + 1) { [scratch] i -> Int in
      if i == 0 { return Int(write(pieces.pieces)) }
      let job = jobs[i - 1]
      guard let layout = job.layout else { return 0 }
      let size = job.entry.tensor.elementType.size
      let range = layout.elements(of: job.chunk)
      return job.entry.tensor.withUnsafeBytes { bytes in
        ChunkCoding.encode(
          UnsafeRawBufferPointer(rebasing: bytes[range.lowerBound * size..<range.upperBound * size]),
          into: (target.buffer.baseAddress! + job.start).assumingMemoryBound(to: UInt8.self),
          chunkBytes: layout.chunkElements * size, elementSize: size, scratch: scratch)
      }
    }
    try TensorWriter.check(Int32(results[0]), place)
    return Array(results.dropFirst())
  }

  /// Writes pieces to the file.
  /// - Returns: an errno, or 0.
  private func write(_ pieces: [Piece]) -> Int32 {
    guard let first = pieces.first else { return 0 }
    let code = TensorWriter.passing {
      for piece in pieces {
        let code = cc_storage_write_all(storage.descriptor, piece.bytes.baseAddress, piece.bytes.count, piece.offset)
        if code != 0 { return code }
      }
      return 0
    }
    // Starts the transfer to disk now, so that a sync at the end has less to wait for.
    let last = pieces[pieces.count - 1]
    cc_storage_start_writing(storage.descriptor, first.offset, last.offset + UInt64(last.bytes.count) - first.offset)
    return code
  }

  /// Lets the library allocate chunks in the file, and store small tensors.
  /// - Returns: the chunks that are still to be written.
  private mutating func layOut(
    _ jobs: [Job], sizes: [Int], buffer: UnsafeMutableRawBufferPointer
  ) throws(TensorFileError) -> [Piece] {
    var pieces = [Piece]()
    var current = dataset
    defer { dataset = current }
    for (job, size) in zip(jobs, sizes) {
      let encoded = UnsafeRawBufferPointer(rebasing: buffer[job.start..<job.start + size])
      let tensorPlace = "\(place): '\(job.entry.name)'"
      if job.isFirst { current = try create(job, place: tensorPlace) }
      let offset = try HDF5.locked { [current] () throws(TensorFileError) -> UInt64? in
        try TensorWriter.store(job, encoded, in: current, storage: storage, place: tensorPlace)
      }
      if let offset { pieces.append(Piece(bytes: encoded, offset: offset)) }
      if job.isLast {
        try HDF5.locked { [current] () throws(TensorFileError) in _ = cc_h5_close_dataset(current) }
        current = -1
      }
    }
    return pieces
  }

  private func create(_ job: Job, place: String) throws(TensorFileError) -> cc_h5 {
    try HDF5.locked { () throws(TensorFileError) in
      let tensor = job.entry.tensor
      let dataset = cc_h5_create_dataset(
        file, job.entry.name, tensor.elementType.code, Int32(tensor.shape.count), tensor.shape.map(UInt64.init),
        job.layout?.chunk.map(UInt64.init))
      try HDF5.check(dataset, .unwritable, place, "cannot be created")
      return dataset
    }
  }

  private static func store(
    _ job: Job, _ encoded: UnsafeRawBufferPointer, in dataset: cc_h5, storage: FileStorage, place: String
  ) throws(TensorFileError) -> UInt64? {
    let tensor = job.entry.tensor
    guard let layout = job.layout else {
      if tensor.byteCount > 0 {
        let status = tensor.withUnsafeBytes { cc_h5_write(dataset, tensor.elementType.code, $0.baseAddress) }
        try HDF5.check(status, .unwritable, place, "cannot be stored")
      }
      return nil
    }
    cc_storage_locate(storage.handle)
    let status = cc_h5_write_chunk(dataset, layout.offset(of: job.chunk), encoded.baseAddress, encoded.count)
    var offset: UInt64 = 0
    var length: UInt64 = 0
    let isLocated = cc_storage_located(storage.handle, &offset, &length) != 0
    try HDF5.check(status, .unwritable, place, "cannot be stored")
    return isLocated ? offset : nil
  }

  private mutating func close() throws(TensorFileError) {
    try HDF5.locked { [dataset] () throws(TensorFileError) in _ = cc_h5_close_dataset(dataset) }
    dataset = -1
  }

  /// Runs a step that writes, with fault injection.
  static func passing(_ body: () -> Int32) -> Int32 {
    switch FailPoint.pass(.write, canInterrupt: true) {
    case .proceed: return body()
    case .fail(let code): return code
    case .interrupt:
      _ = body()
      FailPoint.die()
    }
  }

  static func check(_ code: Int32, _ place: String) throws(TensorFileError) {
    guard code != 0 else { return }
    let advice =
      switch code {
      case ENOSPC, EDQUOT: ". Free some space and run again"
      case EFBIG: "; see the limit on the size of files (ulimit -f)"
      default: ""
      }
    throw TensorFileError(
      .unwritable, at: place, "cannot be written: \(String(cString: strerror(code)))\(advice)")
  }
}

private struct SendableBuffer: @unchecked Sendable {
  // Invariant: iteration i of the loop that uses this writes only the part of job i.
  let buffer: UnsafeMutableRawBufferPointer
  init(_ buffer: UnsafeMutableRawBufferPointer) { self.buffer = buffer }
}

private struct SendablePieces: @unchecked Sendable {
  // Invariant: the pieces are in the other buffer, which is not written meanwhile.
  let pieces: [TensorWriter.Piece]
  init(_ pieces: [TensorWriter.Piece]) { self.pieces = pieces }
}
