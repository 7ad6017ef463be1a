import Determinism
import Tensors

/// What the machine gives to products: a square one that the second-level caches hold, ours or OpenBLAS', whichever is
/// faster, at as many threads as the case.
enum ProductSpeed {
  /// Seconds that so many operations would take; a fused multiply-add counts two.
  static func seconds(for operations: Double) -> Double {
    let size = 768
    let a = Tensor(random: [size, size], "product/a")
    let b = Tensor(random: [size, size], "product/b")
    var best = OpenBLASYardstick.shared?.seconds(ofProductOf: size, threads: Parallel.threads) ?? .infinity
    for _ in 0..<6 { best = min(best, Contest.time { _ = matmul(a, b) }) }
    return operations / (2 * Double(size * size * size)) * best
  }
}
