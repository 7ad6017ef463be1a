import Determinism
import Foundation
import Synchronization

/// The memory of a tensor and its copies: 64-byte aligned, returned to a pool when the last of them is released.
final class Storage: @unchecked Sendable {
  // Invariant: memory is written only while one tensor holds the storage (`isKnownUniquelyReferenced`), or by the
  // operation that allocated it, before it is shared; parallel loops write disjoint elements.
  let pointer: UnsafeMutablePointer<Float>
  private let bytes: Int

  /// Allocates the elements of a shape and one more vector, so that kernels may read past the end (and discard what they
  /// read). When memory is exhausted, the program ends: see `TensorMemory`.
  init(for shape: Shape) {
    let vector = 16
    guard let count = shape.array.productChecked(), count <= Int.max / 8 else {
      TensorMemory.exhausted(nil, for: shape)
    }
    let bytes = StoragePool.roundedSize((count + vector) * MemoryLayout<Float>.stride)
    guard let memory = StoragePool.shared.take(bytes) else { TensorMemory.exhausted(bytes, for: shape) }
    self.bytes = bytes
    pointer = memory.bindMemory(to: Float.self, capacity: bytes / MemoryLayout<Float>.stride)
  }

  deinit { StoragePool.shared.give(pointer, bytes) }
}

/// A pool of free memory. Every training step allocates the same sizes; allocating from the system each time would cost
/// page faults.
///
/// Small blocks are kept by size class, large ones come from an arena.
final class StoragePool: Sendable {
  static let shared = StoragePool()

  /// Blocks larger than this, in bytes, come from the arena.
  static let arenaThreshold = 1 << 16

  /// The size allocated for a block of `bytes`: a size class (four per power of two), or a multiple of 64 in the arena.
  static func roundedSize(_ bytes: Int) -> Int {
    if bytes > arenaThreshold { return (bytes + 63) & ~63 }
    let step = max(64, 1 << (Int.bitWidth - max(1, bytes - 1).leadingZeroBitCount - 3))
    return (bytes + step - 1) & ~(step - 1)
  }

  private struct Free: @unchecked Sendable {
    // Invariant: nothing else refers to a free block.
    var small: [Int: [UnsafeMutableRawPointer]] = [:]
    var arena = Arena()
    /// Bytes in use.
    var taken = 0
    /// Bytes of all small blocks, in use or free.
    var smallTotal = 0
  }

  private let free = Mutex(Free())

  /// Allocates a block.
  /// - Parameter bytes: a rounded size.
  /// - Returns: nil when memory is exhausted.
  func take(_ bytes: Int) -> UnsafeMutableRawPointer? {
    free.withLock { free -> Sent? in
      var block: UnsafeMutableRawPointer?
      if bytes > StoragePool.arenaThreshold {
        block = free.arena.take(bytes)
      } else if let reused = free.small[bytes]?.popLast() {
        block = reused
      } else if posix_memalign(&block, 64, bytes) == 0 {
        free.smallTotal += bytes
      }
      guard let block else { return nil }
      free.taken += bytes
      return Sent(pointer: block)
    }?.pointer
  }

  func give(_ pointer: UnsafeMutableRawPointer, _ bytes: Int) {
    let sent = Sent(pointer: pointer)
    free.withLock { free in
      free.taken -= bytes
      if bytes > StoragePool.arenaThreshold {
        free.arena.give(sent.pointer, bytes)
      } else {
        free.small[bytes, default: []].append(sent.pointer)
      }
    }
  }

  var taken: Int { free.withLock(\.taken) }
  var idle: Int { free.withLock { $0.arena.size + $0.smallTotal - $0.taken } }

  private struct Sent: @unchecked Sendable {
    // Invariant: moved, never shared.
    let pointer: UnsafeMutableRawPointer
  }
}
