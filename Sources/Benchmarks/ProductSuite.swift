import Determinism
import Tensors

/// Matrix products, each beside OpenBLAS where that is installed.
func productSuite(_ filter: String) -> [Benchmark] {
  // Square; a long contraction; the flat shapes of 1×1 convolutions at the miniature's and at the paper's widths.
  let shapes = [(64, 64, 64), (256, 256, 256), (768, 768, 768), (128, 4096, 1152), (256, 16384, 256), (24, 4096, 24)]
  var all: [Benchmark] = []
  let yardstick = OpenBLASYardstick()
  for (m, n, k) in shapes {
    let a = Tensor(random: [m, k], "product/a/\(m)")
    let b = Tensor(random: [k, n], "product/b/\(n)")
    let shape = "\(m)×\(k) · \(k)×\(n)"
    let work = Work.operations(2 * Double(m) * Double(n) * Double(k))
    if matches("product/ours", filter) {
      all.append(Benchmark("product/ours", shape, work) { .tensor(matmul(a, b)) })
    }
    if matches("product/openblas", filter), let yardstick {
      all.append(
        Benchmark("product/openblas", shape, work) {
          .foreign(yardstick.multiply(a, b, m: m, n: n, k: k, threads: Parallel.threads))
        })
    }
  }
  return all
}
