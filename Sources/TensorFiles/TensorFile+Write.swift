import CCodecs
import Determinism
import Foundation

extension TensorFile {
  /// Writes tensors and attributes to a file, replacing what is there. Equal content gives equal bytes (with equal
  /// versions of HDF5 and LZ4; the digest does not depend on them).
  /// - Throws: `badName`, or `unwritable` with the reason of the library or the disk. Nothing half-written is left.
  public static func write(
    _ path: String, tensors: [(name: String, tensor: NamedTensor)], attributes: [String: CanonicalValue] = [:]
  ) throws(TensorFileError) {
    try TensorFile(tensors: tensors, attributes: attributes).write(to: path)
  }

  public func write(to path: String) throws(TensorFileError) {
    let bytes = try encoded()
    do {
      try Data(bytes).write(to: URL(fileURLWithPath: path))
    } catch {
      unlink(path)
      throw TensorFileError(
        .unwritable, at: path, "cannot write \(bytes.count) bytes: \(error.localizedDescription)")
    }
  }

  /// The bytes of the file.
  public func encoded() throws(TensorFileError) -> [UInt8] {
    let file = try HDF5.locked { () throws(TensorFileError) in
      let file = cc_h5_create()
      try HDF5.check(file, .unwritable, "artifact", "cannot be created")
      return file
    }
    do throws(TensorFileError) {
      try HDF5.locked { () throws(TensorFileError) in
        try Attributes.write(attributes, to: file)
        var made = Set<String>()
        for entry in entries {
          for group in Names.groups(of: entry.name) where made.insert(group).inserted {
            try HDF5.check(cc_h5_create_group(file, group), .unwritable, "group '\(group)'", "cannot be created")
          }
        }
      }
      try writeTensors(to: file)
      return try HDF5.locked { () throws(TensorFileError) in
        defer { _ = cc_h5_close_file(file) }
        let size = cc_h5_image(file, nil, 0)
        try HDF5.check(size, .unwritable, "artifact", "cannot be finished")
        var status: Int64 = 0
        let bytes = [UInt8](unsafeUninitializedCapacity: Int(size)) { buffer, count in
          status = cc_h5_image(file, buffer.baseAddress, Int(size))
          count = max(0, Int(status))
        }
        try HDF5.check(status, .unwritable, "artifact", "cannot be finished")
        return bytes
      }
    } catch {
      // `cc_h5_close_file` on a file already closed fails harmlessly.
      try HDF5.locked { () throws(TensorFileError) in _ = cc_h5_close_file(file) }
      throw error
    }
  }

  /// Chunks are compressed by all threads, in batches that bound the memory, and stored in order.
  private func writeTensors(to file: cc_h5) throws(TensorFileError) {
    let batchBytes = 64 << 20
    var start = 0
    while start < entries.count {
      var end = start
      var bytes = 0
      while end < entries.count && (end == start || bytes + entries[end].tensor.bytes.count <= batchBytes) {
        bytes += entries[end].tensor.bytes.count
        end += 1
      }
      try writeBatch(entries[start..<end], to: file)
      start = end
    }
  }

  private struct Job {
    let entry: Entry
    let slabs: Slabs
    let chunk: Int
  }

  private func writeBatch(_ batch: ArraySlice<Entry>, to file: cc_h5) throws(TensorFileError) {
    var jobs = [Job]()
    for entry in batch where entry.tensor.isChunked {
      let slabs = Slabs(shape: entry.tensor.shape, elementSize: entry.tensor.elementType.size)
      for i in 0..<slabs.count { jobs.append(Job(entry: entry, slabs: slabs, chunk: i)) }
    }
    let packed = Parallel.map(jobs.count) { i in
      let job = jobs[i]
      let size = job.entry.tensor.elementType.size
      let range = job.slabs.elements(of: job.chunk)
      return job.entry.tensor.bytes.withUnsafeBytes { bytes in
        ChunkCoding.encode(
          UnsafeRawBufferPointer(rebasing: bytes[range.lowerBound * size..<range.upperBound * size]),
          chunkBytes: job.slabs.chunkElements * size, elementSize: size)
      }
    }
    try HDF5.locked { () throws(TensorFileError) in
      var next = 0
      for entry in batch {
        let slabs = entry.tensor.isChunked ? jobs[next].slabs : nil
        try TensorFile.store(entry, slabs, slabs == nil ? [] : packed[next..<next + slabs!.count], to: file)
        next += slabs?.count ?? 0
      }
    }
  }

  private static func store(
    _ entry: Entry, _ slabs: Slabs?, _ packed: ArraySlice<[UInt8]>, to file: cc_h5
  )
    throws(TensorFileError)
  {
    let tensor = entry.tensor
    let place = "tensor '\(entry.name)'"
    let dataset = cc_h5_create_dataset(
      file, entry.name, tensor.elementType.code, Int32(tensor.shape.count), tensor.shape.map(UInt64.init),
      slabs?.chunk.map(UInt64.init))
    try HDF5.check(dataset, .unwritable, place, "cannot be created")
    defer { _ = cc_h5_close_dataset(dataset) }
    if let slabs {
      for (i, bytes) in packed.enumerated() {
        try HDF5.check(
          cc_h5_write_chunk(dataset, slabs.offset(of: i), bytes, bytes.count), .unwritable, place, "cannot be stored")
      }
    } else if !tensor.bytes.isEmpty {
      try HDF5.check(
        cc_h5_write(dataset, tensor.elementType.code, tensor.bytes), .unwritable, place, "cannot be stored")
    }
  }
}

extension NamedTensor {
  var isChunked: Bool { !shape.isEmpty && bytes.count >= Slabs.minimalBytes }
}
