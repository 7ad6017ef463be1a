import Determinism
import Foundation

/// Large blocks of memory, cut from slabs that ask the system for huge pages: planes are read a row of channels at a
/// time, each from another page, and small pages would miss the address cache at every row.
///
/// The first gap that is large enough serves, from the lowest address on, so that a training step, which frees in the
/// reverse order, leaves few gaps. Neighbouring gaps join, across slabs too, since slabs are asked for end to end: over
/// pictures of full size a tensor takes more than a slab, and separate slabs would waste half of the memory. Slabs stay:
/// what one step needed, the next one will.
struct Arena {
  private struct Gap {
    var start: UnsafeMutableRawPointer
    var size: Int
    var end: UnsafeMutableRawPointer { start + size }
  }

  var gapCount: Int { gaps.count }

  /// By address; no two touch.
  private var gaps: [Gap] = []
  /// Where the newest slab ends and the next one is asked for.
  private var end: UnsafeMutableRawPointer

  private static let hugePage = 2 << 20
  private static let slab = 128 << 20
  /// Addresses that a new slab leaves to everything else, where there is a limit of them. Others can't say what they
  /// lack.
  private static let reserve = 192 << 20

  /// Bytes of all slabs.
  private(set) var size = 0
  /// Bytes of all slabs at most. Systems promise more than they have, and end the program that takes it.
  private let limit: Int

  /// - Parameter address: where the first slab is asked for, a multiple of a huge page; by default far from the places
  ///   that systems choose.
  init(from address: Int = 1 << 45, limit: Int = SystemMemory.total) {
    end = UnsafeMutableRawPointer(bitPattern: address)!
    self.limit = limit
  }

  /// Room for `size` bytes, a multiple of 64, at a multiple of 64. New slabs are zero, used ones hold what was there.
  /// - Returns: nil where there is no more memory.
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

  mutating func give(_ start: UnsafeMutableRawPointer, _ size: Int) { _ = insert(Gap(start: start, size: size)) }

  /// Returns where the gap is now, joined with its neighbours.
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
      // The place is taken, or the system does not follow hints: then a slab of its own, wherever it lies.
      munmap(start, length)
      length = Arena.slabSize(for: size)
      guard mayGrow(by: length), let room = Arena.map(length + Arena.hugePage, at: nil) else { return nil }
      start = room.alignedUp(toMultipleOf: Arena.hugePage)
      // What lies around it goes back, so that the next slab may follow.
      if start > room { munmap(room, start - room) }
      if start < room + Arena.hugePage { munmap(start + length, room + Arena.hugePage - start) }
    }
    end = start + length
    self.size += length
    // Best effort: without huge pages everything is the same, only slower.
    _ = madvise(start, length, MADV_HUGEPAGE)
    return insert(Gap(start: start, size: length))
  }

  private func mayGrow(by length: Int) -> Bool {
    length <= limit - size
      && SystemMemory.ofProcess.allSatisfy { length.addingSaturated(Arena.reserve) <= $0.bytes }
  }

  private static func slabSize(for size: Int) -> Int { (max(size, slab) + hugePage - 1) & ~(hugePage - 1) }

  /// - Parameter place: a wish.
  /// - Returns: nil where the system refuses.
  private static func map(_ length: Int, at place: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
    guard let start = mmap(place, length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0),
      start != MAP_FAILED
    else { return nil }
    return start
  }
}
