import COpenCL
import Synchronization

/// A piece of a device's memory; freed with its last reference. Commands run in order, so a later owner of the same bytes
/// can't disturb an earlier one.
final class DeviceBlock: Sendable {
  unowned let context: DeviceContext
  private let memory: DeviceMemory
  let slab: DeviceHandle
  private let slabIndex: Int
  /// Bytes from the start of the slab; a multiple of 256.
  let start: Int
  let size: Int

  init(
    _ context: DeviceContext, _ memory: DeviceMemory, slab: DeviceHandle, slabIndex: Int, start: Int, size: Int
  ) {
    (self.context, self.memory, self.slab, self.slabIndex) = (context, memory, slab, slabIndex)
    (self.start, self.size) = (start, size)
  }

  deinit { memory.give(slabIndex, start, size) }
}

/// The memory of a device: first fit in slabs, which are never returned, since the next step needs what the last one did.
final class DeviceMemory: Sendable {
  private struct Gap {
    var slab: Int
    var start: Int
    var size: Int
  }

  private struct State {
    var slabs: [(handle: DeviceHandle, size: Int)] = []
    /// By slab and start; no two are adjacent.
    var gaps: [Gap] = []
    var used = 0
    var peak = 0
  }

  private let state = Mutex(State())
  private let context: DeviceHandle
  private let largest: Int
  /// Small slabs leave room for others; a large tensor has one of its own.
  private static let usualSlab = 64 << 20

  init(context: DeviceHandle, largest: Int) { (self.context, self.largest) = (context, largest) }

  deinit {
    state.withLock { state in
      for slab in state.slabs { _ = copencl_release(slab.handle.pointer) }
    }
  }

  /// Bytes of tensors, now and at most.
  var use: (now: Int, peak: Int) { state.withLock { ($0.used, $0.peak) } }

  /// - Returns: nil where the device has no such piece left.
  func take(_ bytes: Int, for owner: DeviceContext) -> DeviceBlock? {
    let size = max(256, (bytes + 255) / 256 * 256)
    let found = state.withLock { state -> (Gap, DeviceHandle)? in
      guard let index = state.gaps.firstIndex(where: { $0.size >= size }) ?? addSlab(&state, for: size) else {
        return nil
      }
      let gap = state.gaps[index]
      if gap.size == size {
        state.gaps.remove(at: index)
      } else {
        state.gaps[index] = Gap(slab: gap.slab, start: gap.start + size, size: gap.size - size)
      }
      state.used += size
      state.peak = max(state.peak, state.used)
      return (gap, state.slabs[gap.slab].handle)
    }
    guard let (gap, slab) = found else { return nil }
    return DeviceBlock(owner, self, slab: slab, slabIndex: gap.slab, start: gap.start, size: size)
  }

  func give(_ slab: Int, _ start: Int, _ size: Int) {
    state.withLock { state in
      state.used -= size
      var gap = Gap(slab: slab, start: start, size: size)
      var at = state.gaps.firstIndex { ($0.slab, $0.start) > (slab, start) } ?? state.gaps.count
      if at < state.gaps.count, state.gaps[at].slab == slab, start + size == state.gaps[at].start {
        gap.size += state.gaps.remove(at: at).size
      }
      if at > 0, state.gaps[at - 1].slab == slab, state.gaps[at - 1].start + state.gaps[at - 1].size == start {
        at -= 1
        gap.start = state.gaps[at].start
        gap.size += state.gaps.remove(at: at).size
      }
      state.gaps.insert(gap, at: at)
    }
  }

  /// - Returns: the index of the gap that a new slab is.
  private func addSlab(_ state: inout State, for size: Int) -> Int? {
    for wanted in [max(size, min(DeviceMemory.usualSlab, largest)), size] where wanted <= largest {
      var memory: UnsafeMutableRawPointer?
      guard copencl_allocate(context.pointer, wanted, &memory) == 0, let memory else { continue }
      state.slabs.append((DeviceHandle(pointer: memory), wanted))
      state.gaps.append(Gap(slab: state.slabs.count - 1, start: 0, size: wanted))
      return state.gaps.count - 1
    }
    return nil
  }
}
