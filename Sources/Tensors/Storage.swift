import Synchronization

/// The memory of one tensor: 64-byte aligned, returned to a pool when the last tensor lets go.
final class Storage: @unchecked Sendable {
  // Invariant: memory is written only while one tensor holds the storage (`isKnownUniquelyReferenced`), or by the
  // operation that has just made it and shares it with nobody; parallel loops write disjoint elements.
  let pointer: UnsafeMutablePointer<Float>
  private let bytes: Int

  /// Room for `count` floats and one vector more, so that a kernel may read (never use) past the end.
  init(count: Int) {
    let vector = 16
    bytes = StoragePool.roundedSize((count + vector) * MemoryLayout<Float>.stride)
    pointer = StoragePool.shared.take(bytes).bindMemory(to: Float.self, capacity: bytes / MemoryLayout<Float>.stride)
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
  }

  private let free = Mutex(Free())

  /// - Parameter bytes: a rounded size.
  func take(_ bytes: Int) -> UnsafeMutableRawPointer {
    free.withLock { free in
      free.taken += bytes
      if bytes > StoragePool.arenaThreshold { return Sent(pointer: free.arena.take(bytes)) }
      let reused = free.small[bytes]?.popLast()
      return Sent(pointer: reused ?? .allocate(byteCount: bytes, alignment: 64))
    }.pointer
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

  private struct Sent: @unchecked Sendable {
    // Invariant: moved, never shared.
    let pointer: UnsafeMutableRawPointer
  }
}

/// The memory of all tensors of this process, and of what operations need beside them.
public enum TensorMemory {
  /// Bytes in use.
  public static var used: Int { StoragePool.shared.taken }
}
