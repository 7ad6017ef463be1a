import CCodecs
import Synchronization

/// Memory for the steps between a chunk and its elements, used again: to get a megabyte from the system and to give
/// it back takes longer than to shuffle it.
final class ChunkRoom: Sendable {
  private struct Free: @unchecked Sendable {
    // Invariant: a buffer is in one list, or in one thread's hands.
    var buffers: [UnsafeMutableRawBufferPointer] = []
  }

  private let free = Mutex(Free())
  private let byteCount: Int

  init(byteCount: Int) { self.byteCount = byteCount }

  deinit { free.withLock { for buffer in $0.buffers { buffer.deallocate() } } }

  /// Lends memory.
  func with<R>(_ body: (UnsafeMutablePointer<UInt8>) -> R) -> R {
    let lent =
      free.withLock { $0.buffers.popLast() } ?? .allocate(byteCount: byteCount, alignment: 64)
    defer { free.withLock { $0.buffers.append(lent) } }
    return body(lent.baseAddress!.assumingMemoryBound(to: UInt8.self))
  }
}

/// One chunk through shuffle and LZ4, on any thread.
enum ChunkCoding {
  /// Bytes that an encoded chunk may take.
  static func bound(chunkBytes: Int, elementSize: Int) -> Int {
    cc_lz4_bound(chunkBytes, block(chunkBytes, elementSize))
  }

  /// Shuffled, equal bytes of all elements lie together; each such run is a block of its own.
  private static func block(_ chunkBytes: Int, _ elementSize: Int) -> Int {
    elementSize > 1 ? chunkBytes / elementSize : 0
  }

  /// Encodes a run of elements, padded with zeros to a whole chunk.
  /// - Parameters:
  ///   - target: room for `bound` bytes.
  ///   - room: of at least two chunks.
  /// - Returns: how many bytes of `target` it took.
  static func encode(
    _ source: UnsafeRawBufferPointer, into target: UnsafeMutablePointer<UInt8>, chunkBytes: Int, elementSize: Int,
    room: ChunkRoom
  ) -> Int {
    room.with { shuffled in
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

  /// Decodes a chunk and keeps the part that lies inside the tensor.
  /// - Parameter room: of at least two chunks.
  /// - Returns: false where the chunk is damaged.
  static func decode(
    _ packed: UnsafeRawBufferPointer, into target: UnsafeMutableRawBufferPointer, chunkBytes: Int, elementSize: Int,
    room: ChunkRoom
  ) -> Bool {
    guard let source = packed.baseAddress?.assumingMemoryBound(to: UInt8.self) else { return false }
    return room.with { shuffled in
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
