import CKernels
import Determinism
import Testing

@testable import Tensors

@Suite("MatrixProduct and LinearMap")
struct ProductTests {
  @Test("matrix products have the bits of the triple loop, for sizes 0...67", arguments: 0...67)
  func matchesDefinition(size: Int) {
    let others = [0, 1, 7, 16, 33, 67]
    for (a, b) in [(others[size % 6], others[size / 6 % 6]), (size, 5)] {
      for (m, n, k) in [(size, a, b), (a, size, b), (a, b, size)] {
        for (ta, tb) in [(false, false), (true, false), (false, true), (true, true)] {
          let x = ProductReference.values(ta ? [k, m] : [m, k], "a")
          let y = ProductReference.values(tb ? [n, k] : [k, n], "b")
          let expected = ProductReference.matmul(x, ta, y, tb)
          #expect(matmul(x, transposeA: ta, y, transposeB: tb).isIdentical(to: expected), "\(m) \(n) \(k) \(ta) \(tb)")
        }
      }
    }
  }

  @Test("sums longer than a block continue in order across blocks", arguments: [255, 256, 257, 513, 1500])
  func longChains(k: Int) {
    let a = ProductReference.values([50, k], "a")
    let b = ProductReference.values([k, 45], "b")
    #expect(matmul(a, b).isIdentical(to: ProductReference.matmul(a, false, b, false)))
  }

  @Test(
    "long sums of few results, which are not packed, have the same order",
    arguments: [(48, 48), (1, 1), (25, 90), (96, 33), (7, 96), (120, 96), (250, 50)], [4096, 4097, 5000])
  func longChainsOfFew(_ size: (Int, Int), k: Int) {
    let (m, n) = size
    let a = ProductReference.values([m, k], "a")
    let b = ProductReference.values([n, k], "b")
    let bias = ProductReference.values([n], "bias")
    let expected = ProductReference.matmul(a, false, b, true)
    for threads in 1...3 {
      Parallel.withThreads(threads) { #expect(matmul(a, b, transposeB: true).isIdentical(to: expected)) }
    }
    let biased = MatrixProduct.multiply(a, b, transposeB: true, columnBias: bias)
    #expect(biased.isIdentical(to: ProductReference.matmul(a, false, b, true, bias: bias)))
  }

  @Test("matrix products have the same bits on every instruction set and number of threads")
  func variants() {
    for (m, k, n) in [(13, 40, 37), (100, 500, 70), (200, 10, 33)] {
      let a = ProductReference.values([m, k], "a")
      let b = ProductReference.values([k, n], "b")
      let expected = ProductReference.matmul(a, false, b, false)
      for set in Backend.supported {
        var packed = [Float](repeating: 0, count: Int(ck_packed_count(set.isa, Int64(m), Int64(k))))
        ck_pack_left(set.isa, Int64(m), Int64(k), 1, nil, a.pointer.base, Int64(k), 1, 0, Int64(m), &packed)
        var c = Tensor(uninitialized: [m, n])
        ck_matrix_product(
          set.isa, Int64(m), Int64(k), packed, 0, Int64(m), b.pointer.base, Int64(n), 1, 0, Int64(n), nil,
          c.mutablePointer.base, Int64(n))
        #expect(c.isIdentical(to: expected), "\(set)")
      }
      for threads in 1...3 {
        Parallel.withThreads(threads) { #expect(matmul(a, b).isIdentical(to: expected)) }
      }
    }
  }

  @Test("a linear map and its gradients have the bits of their definitions", arguments: [0, 1, 5, 2048, 2049])
  func linear(rows: Int) {
    let x = ProductReference.values([rows, 9], "x")
    let w = ProductReference.values([6, 9], "w")
    let bias = ProductReference.values([6], "bias")
    let y = LinearMap.forward(x, weight: w, bias: bias)
    #expect(y.isIdentical(to: ProductReference.matmul(x, false, w, true, bias: bias)))
    let dy = ProductReference.values([rows, 6], "dy")
    #expect(LinearMap.inputGradient(dy, weight: w).isIdentical(to: ProductReference.matmul(dy, false, w, false)))
    // A linear map is a 1×1 convolution over rows. Its weight gradient is summed in blocks of 2048.
    let expected = ProductReference.weightGradient(
      Convolution2D(), dy.reshaped([rows, 6, 1, 1]), x.reshaped([rows, 9, 1, 1]), [6, 9, 1, 1])
    #expect(LinearMap.weightGradient(dy, x).isIdentical(to: expected.reshaped([6, 9])))
    let sums = (0..<6).map { j in (0..<rows).reduce(0.0) { $0 + Double(dy[flat: $1 * 6 + j]) } }
    for (value, sum) in zip(LinearMap.biasGradient(dy).array, sums) {
      #expect(abs(Double(value) - sum) <= abs(sum) * 1e-6)
    }
  }

  @Test("matrix products agree with OpenBLAS within rounding", OpenBLAS.needed)
  func openBLAS() throws {
    let library = try #require(OpenBLAS.shared)
    let a = ProductReference.values([70, 300], "a", extreme: false)
    let b = ProductReference.values([300, 90], "b", extreme: false)
    for (ours, theirs) in zip(matmul(a, b).array, library.multiply(a, b).array) { #expect(abs(ours - theirs) < 1e-4) }
  }
}
