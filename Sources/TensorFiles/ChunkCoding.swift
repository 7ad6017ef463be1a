import CCodecs
import Synchronization

/// Reusable scratch memory for encoding and decoding chunks: allocating a megabyte from the system and freeing it takes
/// longer than shuffling it.
final class ScratchBuffers: Sendable {
  private struct Free: @unchecked Sendable {
    // Invariant: a buffer is either in the list or used by one thread.
    var buffers: [UnsafeMutableRawBufferPointer] = []
  }

  private let free = Mutex(Free())
  private let byteCount: Int

  init(byteCount: Int) { self.byteCount = byteCount }

  deinit { free.withLock { for buffer in $0.buffers { buffer.deallocate() } } }

  /// Calls `body` with a buffer of `byteCount` bytes.
  func with<R>(_ body: (UnsafeMutablePointer<UInt8>) -> R) -> R {
    let lent =
      free.withLock { $0.buffers.popLast() } ?? .allocate(byteCount: byteCount, alignment: 64)
    defer { free.withLock { $0.buffers.append(lent) } }
    return body(lent.baseAddress!.assumingMemoryBound(to: UInt8.self))
  }
}

/// Encodes and decodes one chunk with shuffle and LZ4, on any thread.
enum ChunkCoding {
  /// The largest size of an encoded chunk, in bytes.
  static func bound(chunkBytes: Int, elementSize: Int) -> Int {
    cc_lz4_bound(chunkBytes, block(chunkBytes, elementSize))
  }

  /// After the shuffle, bytes of the same significance are adjacent; each such run is one LZ4 block.
  private static func block(_ chunkBytes: Int, _ elementSize: Int) -> Int {
    elementSize > 1 ? chunkBytes / elementSize : 0
  }

  /// Encodes a run of elements, padded with zeros to a whole chunk.
  /// - Parameters:
  ///   - target: memory of `bound` bytes.
  ///   - scratch: buffers of at least two chunks.
  /// - Returns: the number of bytes written to `target`.
  static func encode(
    _ source: UnsafeRawBufferPointer, into target: UnsafeMutablePointer<UInt8>, chunkBytes: Int, elementSize: Int,
    scratch: ScratchBuffers
  ) -> Int {
    scratch.with { shuffled in
      var plain = source.baseAddress!.assumingMemoryBound(to: UInt8.self)
      if source.count < chunkBytes {
        let padded = shuffled + chunkBytes
        padded.update(from: plain, count: source.count)
        (padded + source.count).update(repeating: 0, count: chunkBytes - source.count)
        plain = UnsafePointer(padded)
      }
      cc_shuffle(plain, shuffled, chunkBytes, elementSize)
      return cc_lz4_encode(shuffled, chunkBytes, block(chunkBytes, elementSize), target)
    }
  }

  /// Decodes a chunk and copies the part inside the tensor to `target`.
  /// - Parameter scratch: buffers of at least two chunks.
  /// - Returns: false where the chunk is damaged.
  static func decode(
    _ packed: UnsafeRawBufferPointer, into target: UnsafeMutableRawBufferPointer, chunkBytes: Int, elementSize: Int,
    scratch: ScratchBuffers
  ) -> Bool {
    guard let source = packed.baseAddress?.assumingMemoryBound(to: UInt8.self) else { return false }
    return scratch.with { shuffled in
      guard cc_lz4_decode(source, packed.count, shuffled, chunkBytes) == 0 else { return false }
      if target.count == chunkBytes {
        cc_unshuffle(shuffled, target.baseAddress!.assumingMemoryBound(to: UInt8.self), chunkBytes, elementSize)
      } else {
        let whole = shuffled + chunkBytes
        cc_unshuffle(shuffled, whole, chunkBytes, elementSize)
        target.copyMemory(from: UnsafeRawBufferPointer(start: whole, count: target.count))
      }
      return true
    }
  }
}
