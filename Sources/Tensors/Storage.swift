import Determinism
import Foundation
import Synchronization

/// The memory of a tensor and its copies, on the host (64-byte aligned), on a device, or on both. It returns to a pool
/// when the last of them is released.
final class Storage: @unchecked Sendable {
  // Invariant: memory is written only while one tensor holds the storage (`isKnownUniquelyReferenced`), or by the
  // operation that allocated it, before it is shared; parallel loops write disjoint elements. Where the elements are
  // changes under the lock `moving`; `host` is set before `place` says so, and stays until the storage is written.
  private var host: UnsafeMutablePointer<Float>?
  private var block: DeviceBlock?
  private let shape: Shape
  private let bytes: Int

  /// Where the elements are.
  private enum Place { static let host = 0, both = 1, device = 2 }
  private let place: Atomic<Int>
  private static let moving = Mutex(())

  /// Allocates the elements of a shape and one more vector, so that kernels may read past the end (and discard what they
  /// read). When memory is exhausted, the program ends: see `TensorMemory`.
  init(for shape: Shape) {
    self.shape = shape
    bytes = Storage.bytes(of: shape)
    place = Atomic(Place.host)
    host = Storage.allocate(bytes, for: shape)
  }

  /// The elements of a shape on a device, with unspecified values.
  init(for shape: Shape, in block: DeviceBlock) {
    self.shape = shape
    self.block = block
    bytes = Storage.bytes(of: shape)
    place = Atomic(Place.device)
  }

  private static func bytes(of shape: Shape) -> Int {
    let vector = 16
    guard let count = shape.array.productChecked(), count <= Int.max / 8 else {
      TensorMemory.exhausted(nil, for: shape)
    }
    return StoragePool.roundedSize((count + vector) * MemoryLayout<Float>.stride)
  }

  private static func allocate(_ bytes: Int, for shape: Shape) -> UnsafeMutablePointer<Float> {
    guard let memory = StoragePool.shared.take(bytes) else { TensorMemory.exhausted(bytes, for: shape) }
    return memory.bindMemory(to: Float.self, capacity: bytes / MemoryLayout<Float>.stride)
  }

  deinit { if let host { StoragePool.shared.give(host, bytes) } }

  // MARK: Host

  /// The elements on the host; fetches them where only a device has them.
  var pointer: UnsafeMutablePointer<Float> {
    if place.load(ordering: .acquiring) == Place.device { fetch() }
    return host.unsafelyUnwrapped
  }

  /// The elements for writing, of a storage that one tensor holds: then the host alone has them.
  var writablePointer: UnsafeMutablePointer<Float> {
    if place.load(ordering: .acquiring) != Place.host {
      fetch()
      block = nil
      place.store(Place.host, ordering: .releasing)
    }
    return host.unsafelyUnwrapped
  }

  private func fetch() {
    Storage.moving.withLock { _ in
      guard place.load(ordering: .relaxed) == Place.device, let block else { return }
      let memory = Storage.allocate(bytes, for: shape)
      block.context.read(block, into: UnsafeMutableRawBufferPointer(start: memory, count: 4 * shape.count))
      host = memory
      place.store(Place.both, ordering: .releasing)
    }
  }

  // MARK: Device

  /// Whether only a device has the elements.
  var isAway: Bool { place.load(ordering: .relaxed) == Place.device }

  /// The elements on a device; sends them where it does not have them.
  func block(on context: DeviceContext) -> DeviceBlock {
    if place.load(ordering: .acquiring) != Place.host, let block, block.context === context { return block }
    // Another device's elements go by way of the host.
    let source = pointer
    return Storage.moving.withLock { _ in
      if let block, block.context === context { return block }
      let sent = context.allocate(4 * shape.count)
      context.write(UnsafeRawBufferPointer(start: source, count: 4 * shape.count), to: sent)
      block = sent
      place.store(Place.both, ordering: .releasing)
      return sent
    }
  }

  /// The same for writing, of a storage that one tensor holds: then the device alone has them.
  func writableBlock(on context: DeviceContext) -> DeviceBlock {
    let block = block(on: context)
    if let host { StoragePool.shared.give(host, bytes) }
    host = nil
    place.store(Place.device, ordering: .releasing)
    return block
  }
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
