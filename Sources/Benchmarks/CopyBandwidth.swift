import Determinism

/// The memory bandwidth: a copy of 64 MiB by several threads, in bytes read and written per second.
enum CopyBandwidth {
  static func rate(threads: Int) -> Double {
    let (pieces, size) = (64, 1 << 20)
    let source = Block(byteCount: pieces * size)
    let target = Block(byteCount: pieces * size)
    var best = Double.infinity
    for _ in 0..<9 {
      let time = Comparison.time {
        Parallel.withThreads(threads) {
          Parallel.forEach(pieces) { i in
            (target.base + i * size).copyMemory(from: source.base + i * size, byteCount: size)
          }
        }
      }
      best = min(best, time)
    }
    return Double(2 * pieces * size) / best
  }

  private final class Block: @unchecked Sendable {
    // Invariant: iteration i of the loop touches only piece i.
    let base: UnsafeMutableRawPointer

    init(byteCount: Int) {
      base = .allocate(byteCount: byteCount, alignment: 64)
      base.initializeMemory(as: UInt8.self, repeating: 1, count: byteCount)
    }

    deinit { base.deallocate() }
  }
}
