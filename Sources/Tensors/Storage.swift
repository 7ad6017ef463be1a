import Determinism
import Foundation
import Synchronization

/// The memory of one tensor: 64-byte aligned, returned to a pool when the last tensor lets go.
final class Storage: @unchecked Sendable {
  // Invariant: memory is written only while one tensor holds the storage (`isKnownUniquelyReferenced`), or by the
  // operation that has just made it and shares it with nobody; parallel loops write disjoint elements.
  let pointer: UnsafeMutablePointer<Float>
  private let bytes: Int

  /// Room for the elements of a shape and one vector more, so that a kernel may read (never use) past the end. Where
  /// there is no memory for it, the program ends: see `TensorMemory`.
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

/// Free memory. A training step asks for the same sizes again and again; asking the system each time would cost page
/// faults.
///
/// Small blocks are kept by size class, large ones are cut from an arena.
final class StoragePool: Sendable {
  static let shared = StoragePool()

  /// Blocks from this size on come from the arena.
  static let arenaThreshold = 1 << 16

  /// What a block of `bytes` takes: classes of a quarter of a power of two, or a multiple of 64 in the arena.
  static func roundedSize(_ bytes: Int) -> Int {
    if bytes > arenaThreshold { return (bytes + 63) & ~63 }
    let step = max(64, 1 << (Int.bitWidth - max(1, bytes - 1).leadingZeroBitCount - 3))
    return (bytes + step - 1) & ~(step - 1)
  }

  private struct Free: @unchecked Sendable {
    // Invariant: a block that is free belongs to nobody else.
    var small: [Int: [UnsafeMutableRawPointer]] = [:]
    var arena = Arena()
    /// Bytes that are taken now.
    var taken = 0
    /// Of small blocks, taken or not.
    var smallTotal = 0
  }

  private let free = Mutex(Free())

  /// - Parameter bytes: a rounded size.
  /// - Returns: nil where there is no memory.
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
