import Foundation
import Tensors

/// `cblas_sgemm` of the installed OpenBLAS, loaded only when the benchmarks run.
struct OpenBLASYardstick {
  private typealias Product =
    @convention(c) (
      Int32, Int32, Int32, Int32, Int32, Int32, Float, UnsafePointer<Float>?, Int32, UnsafePointer<Float>?, Int32,
      Float,
      UnsafeMutablePointer<Float>?, Int32
    ) -> Void
  private typealias SetThreads = @convention(c) (Int32) -> Void

  private let product: Product
  private let setThreads: SetThreads

  /// Nil where the library is not installed.
  init?() {
    guard let library = dlopen("libopenblas.so.0", RTLD_NOW | RTLD_LOCAL),
      let product = dlsym(library, "cblas_sgemm"), let setThreads = dlsym(library, "openblas_set_num_threads")
    else { return nil }
    // The casts state the prototypes of cblas.h, with its 32-bit integers.
    self.product = unsafeBitCast(product, to: Product.self)
    self.setThreads = unsafeBitCast(setThreads, to: SetThreads.self)
  }

  /// `[m, k] · [k, n]`, row-major.
  func multiply(_ a: Tensor, _ b: Tensor, m: Int, n: Int, k: Int, threads: Int) -> [Float] {
    setThreads(Int32(threads))
    let (rowMajor, noTranspose) = (Int32(101), Int32(111))
    return [Float](unsafeUninitializedCapacity: m * n) { c, initialized in
      a.withElements { a in
        b.withElements { b in
          product(
            rowMajor, noTranspose, noTranspose, Int32(m), Int32(n), Int32(k), 1, a.baseAddress, Int32(k),
            b.baseAddress, Int32(n), 0, c.baseAddress, Int32(n))
        }
      }
      initialized = m * n
    }
  }
}
