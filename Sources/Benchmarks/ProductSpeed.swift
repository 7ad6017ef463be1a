import Determinism
import Tensors

/// The machine's speed of matrix products: of a square one that fits in the second-level caches, by this engine or
/// OpenBLAS, whichever is faster, with as many threads as the case.
enum ProductSpeed {
  /// Seconds that so many operations would take at that speed; a fused multiply-add counts as two.
  static func seconds(for operations: Double) -> Double {
    let size = 768
    let a = Tensor(random: [size, size], "product/a")
    let b = Tensor(random: [size, size], "product/b")
    var best = OpenBLASLibrary.shared?.seconds(ofProductOf: size, threads: Parallel.threads) ?? .infinity
    for _ in 0..<6 { best = min(best, Comparison.time { _ = matmul(a, b) }) }
    return operations / (2 * Double(size * size * size)) * best
  }
}
