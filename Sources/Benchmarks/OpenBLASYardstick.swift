import Foundation
import Tensors

/// `cblas_sgemm` of the installed OpenBLAS, loaded only when the benchmarks run.
struct OpenBLASYardstick {
  private typealias Multiply =
    @convention(c) (
      Int32, Int32, Int32, Int32, Int32, Int32, Float, UnsafePointer<Float>?, Int32, UnsafePointer<Float>?, Int32,
      Float,
      UnsafeMutablePointer<Float>?, Int32
    ) -> Void
  private typealias SetThreads = @convention(c) (Int32) -> Void

  private let product: Multiply
  private let setThreads: SetThreads

  /// Nil where the library is not installed.
  static let shared = OpenBLASYardstick()

  private init?() {
    // A processor younger than the library counts as one without vectors; the name of its generation helps.
    let core = Backend.InstructionSet.avx512.isSupported ? "SkylakeX" : "Haswell"
    if Backend.InstructionSet.avx2.isSupported { setenv("OPENBLAS_CORETYPE", core, 0) }
    guard let library = dlopen("libopenblas.so.0", RTLD_NOW | RTLD_LOCAL),
      let product = dlsym(library, "cblas_sgemm"), let setThreads = dlsym(library, "openblas_set_num_threads")
    else { return nil }
    // The casts state the prototypes of cblas.h, with its 32-bit integers.
    self.product = unsafeBitCast(product, to: Multiply.self)
    self.setThreads = unsafeBitCast(setThreads, to: SetThreads.self)
  }

  func multiply(_ shape: Product, _ a: Tensor, _ b: Tensor, into c: inout Tensor, threads: Int) {
    setThreads(Int32(threads))
    let (rowMajor, plain, transposed) = (Int32(101), Int32(111), Int32(112))
    let (m, n, k) = (Int32(shape.m), Int32(shape.n), Int32(shape.k))
    a.withElements { a in
      b.withElements { b in
        c.withMutableElements { c in
          product(
            rowMajor, shape.transposesA ? transposed : plain, shape.transposesB ? transposed : plain, m, n, k, 1,
            a.baseAddress, shape.transposesA ? m : k, b.baseAddress, shape.transposesB ? k : n, 0, c.baseAddress, n)
        }
      }
    }
  }
}
