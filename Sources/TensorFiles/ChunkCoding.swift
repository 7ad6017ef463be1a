import CCodecs

/// One chunk through shuffle and LZ4, on any thread.
enum ChunkCoding {
  /// Encodes a run of elements, padded with zeros to a whole chunk.
  static func encode(_ source: UnsafeRawBufferPointer, chunkBytes: Int, elementSize: Int) -> [UInt8] {
    withUnsafeTemporaryAllocation(byteCount: 2 * chunkBytes, alignment: 16) { scratch in
      let plain = scratch.baseAddress!.assumingMemoryBound(to: UInt8.self)
      let shuffled = plain + chunkBytes
      plain.update(from: source.baseAddress!.assumingMemoryBound(to: UInt8.self), count: source.count)
      (plain + source.count).update(repeating: 0, count: chunkBytes - source.count)
      cc_shuffle(plain, shuffled, chunkBytes, elementSize)
      return [UInt8](unsafeUninitializedCapacity: cc_lz4_bound(chunkBytes)) { out, count in
        count = cc_lz4_encode(shuffled, chunkBytes, out.baseAddress!)
      }
    }
  }

  /// Decodes a chunk and keeps the part that lies inside the tensor.
  /// - Returns: false where the chunk is damaged.
  static func decode(
    _ packed: [UInt8], into target: UnsafeMutableRawBufferPointer, chunkBytes: Int, elementSize: Int
  ) -> Bool {
    withUnsafeTemporaryAllocation(byteCount: 2 * chunkBytes, alignment: 16) { scratch in
      let shuffled = scratch.baseAddress!.assumingMemoryBound(to: UInt8.self)
      let plain = shuffled + chunkBytes
      guard cc_lz4_decode(packed, packed.count, shuffled, chunkBytes) == 0 else { return false }
      cc_unshuffle(shuffled, plain, chunkBytes, elementSize)
      target.copyMemory(from: UnsafeRawBufferPointer(start: plain, count: target.count))
      return true
    }
  }
}
