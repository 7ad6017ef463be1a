import Synchronization

/// The memory of one tensor: 64-byte aligned, returned to a pool when the last tensor lets go.
final class Storage: @unchecked Sendable {
  // Invariant: memory is written only while one tensor holds the storage (`isKnownUniquelyReferenced`), or by the
  // operation that has just made it and shares it with nobody; parallel loops write disjoint elements.
  let pointer: UnsafeMutablePointer<Float>
  private let sizeClass: Int

  /// Room for `count` floats and one vector more, so that a kernel may read (never use) past the end.
  init(count: Int) {
    (pointer, sizeClass) = StoragePool.shared.take(count: count)
  }

  deinit {
    StoragePool.shared.give(pointer, sizeClass: sizeClass)
  }
}

/// Free memory by size class. A training step asks for the same sizes again and again; asking the system each time
/// would cost page faults.
final class StoragePool: Sendable {
  static let shared = StoragePool()

  /// Four classes per power of two bound the waste to a quarter.
  static func classSize(_ index: Int) -> Int { (4 + index % 4) << (index / 4 + 4) }

  static func classIndex(_ count: Int) -> Int {
    var low = 0
    var high = 160
    while low < high {
      let middle = (low + high) / 2
      if classSize(middle) >= count { high = middle } else { low = middle + 1 }
    }
    return low
  }

  private struct Free: @unchecked Sendable {
    // Invariant: a pointer in a list belongs to nobody else.
    var lists: [[UnsafeMutablePointer<Float>]] = Array(repeating: [], count: 160)
    var bytes = 0
  }

  private let free = Mutex(Free())
  /// Free memory above this goes back to the system.
  private let limit = 1 << 30
  private static let vector = 16

  func take(count: Int) -> (UnsafeMutablePointer<Float>, Int) {
    let sizeClass = StoragePool.classIndex(count + StoragePool.vector)
    let bytes = StoragePool.classSize(sizeClass) * 4
    let reused: SendableFloats? = free.withLock { free in
      guard let pointer = free.lists[sizeClass].popLast() else { return nil }
      free.bytes -= bytes
      return SendableFloats(pointer: pointer)
    }
    if let reused { return (reused.pointer, sizeClass) }
    let raw = UnsafeMutableRawPointer.allocate(byteCount: bytes, alignment: 64)
    return (raw.bindMemory(to: Float.self, capacity: bytes / 4), sizeClass)
  }

  func give(_ pointer: UnsafeMutablePointer<Float>, sizeClass: Int) {
    let bytes = StoragePool.classSize(sizeClass) * 4
    let box = SendableFloats(pointer: pointer)
    let kept = free.withLock { free in
      guard free.bytes + bytes <= limit else { return false }
      free.bytes += bytes
      free.lists[sizeClass].append(box.pointer)
      return true
    }
    if !kept { UnsafeMutableRawPointer(pointer).deallocate() }
  }
}

private struct SendableFloats: @unchecked Sendable {
  // Invariant: moved, never shared.
  let pointer: UnsafeMutablePointer<Float>
}
