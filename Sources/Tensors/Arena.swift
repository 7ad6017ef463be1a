import Determinism
import Foundation

/// A first-fit allocator of large blocks, which come from slabs backed by huge pages. Kernels read one row of each
/// channel's plane in turn, each from another page; with small pages every row would miss the TLB.
///
/// A request takes the first large enough gap by address, so a training step, which frees in reverse order, leaves
/// few gaps. Adjacent gaps are merged, also across slabs, since slabs are requested end to end: for full-size images a
/// tensor exceeds a slab, and separate slabs would waste half of the memory. Slabs are never returned: the next step
/// needs what the last one did.
struct Arena {
  private struct Gap {
    var start: UnsafeMutableRawPointer
    var size: Int
    var end: UnsafeMutableRawPointer { start + size }
  }

  var gapCount: Int { gaps.count }

  /// Sorted by address; no two are adjacent.
  private var gaps: [Gap] = []
  /// The end of the newest slab, where the next one is requested.
  private var end: UnsafeMutableRawPointer

  private static let hugePage = 2 << 20
  private static let slab = 128 << 20
  /// Bytes that a new slab leaves to other allocations where 'ulimit' bounds the address space: unlike a tensor, those
  /// can't report that they failed.
  private static let reserve = 192 << 20

  /// Total size of the slabs in bytes.
  private(set) var size = 0
  /// The largest total size of the slabs in bytes. Systems overcommit memory and kill the program that uses it.
  private let limit: Int

  /// - Parameter address: where the first slab is requested, a multiple of a huge page; by default far from the
  ///   addresses that systems choose.
  init(from address: Int = 1 << 45, limit: Int = SystemMemory.total) {
    end = UnsafeMutableRawPointer(bitPattern: address)!
    self.limit = limit
  }

  /// Allocates `size` bytes, a multiple of 64, aligned to 64 bytes. Fresh memory is zero, reused memory is not cleared.
  /// - Returns: nil when memory is exhausted.
  mutating func take(_ size: Int) -> UnsafeMutableRawPointer? {
    guard let index = gaps.firstIndex(where: { $0.size >= size }) ?? insertSlab(for: size) else { return nil }
    let start = gaps[index].start
    if gaps[index].size == size {
      gaps.remove(at: index)
    } else {
      gaps[index] = Gap(start: start + size, size: gaps[index].size - size)
    }
    return start
  }

  /// Frees a block of `take`.
  mutating func give(_ start: UnsafeMutableRawPointer, _ size: Int) { _ = insert(Gap(start: start, size: size)) }

  /// Returns the index of the gap after merging it with its neighbours.
  private mutating func insert(_ gap: Gap) -> Int {
    var low = 0
    var high = gaps.count
    while low < high {
      let middle = (low + high) / 2
      if gaps[middle].start < gap.start { low = middle + 1 } else { high = middle }
    }
    var gap = gap
    if low < gaps.count, gap.end == gaps[low].start {
      gap.size += gaps[low].size
      gaps.remove(at: low)
    }
    if low > 0, gaps[low - 1].end == gap.start {
      gaps[low - 1].size += gap.size
      return low - 1
    }
    gaps.insert(gap, at: low)
    return low
  }

  private mutating func insertSlab(for size: Int) -> Int? {
    let tail = gaps.first { $0.end == end }?.size ?? 0
    var length = Arena.slabSize(for: size - tail)
    guard mayGrow(by: length), var start = Arena.map(length, at: end) else { return nil }
    if start != end {
      // The address is taken, or the system ignores hints: then a separate slab, wherever it is.
      munmap(start, length)
      length = Arena.slabSize(for: size)
      guard mayGrow(by: length), let room = Arena.map(length + Arena.hugePage, at: nil) else { return nil }
      start = room.alignedUp(toMultipleOf: Arena.hugePage)
      // The rest of the mapping is returned, so that the next slab may follow this one.
      if start > room { munmap(room, start - room) }
      if start < room + Arena.hugePage { munmap(start + length, room + Arena.hugePage - start) }
    }
    end = start + length
    self.size += length
    // Best effort: without huge pages the results are the same, only slower.
    _ = madvise(start, length, MADV_HUGEPAGE)
    return insert(Gap(start: start, size: length))
  }

  private func mayGrow(by length: Int) -> Bool {
    length <= limit - size
      && SystemMemory.ofProcess.allSatisfy { length.addingSaturated(Arena.reserve) <= $0.bytes }
  }

  private static func slabSize(for size: Int) -> Int { (max(size, slab) + hugePage - 1) & ~(hugePage - 1) }

  /// - Parameter place: a hint.
  /// - Returns: nil where the system refuses.
  private static func map(_ length: Int, at place: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
    guard let start = mmap(place, length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0),
      start != MAP_FAILED
    else { return nil }
    return start
  }
}
