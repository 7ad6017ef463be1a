import Foundation
import Tensors

/// `cblas_sgemm` of the installed OpenBLAS, loaded at run time.
struct OpenBLASLibrary {
  private typealias Multiply =
    @convention(c) (
      Int32, Int32, Int32, Int32, Int32, Int32, Float, UnsafePointer<Float>?, Int32, UnsafePointer<Float>?, Int32,
      Float,
      UnsafeMutablePointer<Float>?, Int32
    ) -> Void
  private typealias SetThreads = @convention(c) (Int32) -> Void
  private typealias CoreName = @convention(c) () -> UnsafePointer<CChar>?

  private let product: Multiply
  private let setThreads: SetThreads
  /// The core type whose kernels it selected, such as `SkylakeX`.
  let core: String

  /// With the fastest kernels; nil where the library is not installed.
  static let shared: OpenBLASLibrary? = {
    OpenBLASCore.chooseFastest()
    return OpenBLASLibrary()
  }()

  init?() {
    guard let library = dlopen("libopenblas.so.0", RTLD_NOW | RTLD_LOCAL),
      let product = dlsym(library, "cblas_sgemm"), let setThreads = dlsym(library, "openblas_set_num_threads")
    else { return nil }
    // The casts state the prototypes of cblas.h, with its 32-bit integers.
    self.product = unsafeBitCast(product, to: Multiply.self)
    self.setThreads = unsafeBitCast(setThreads, to: SetThreads.self)
    let name = dlsym(library, "openblas_get_corename").flatMap { unsafeBitCast($0, to: CoreName.self)() }
    core = name.map { String(cString: $0) } ?? "unknown"
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

  /// The best time of several square products: wall time or, on one thread, processor time, which other processes disturb
  /// less.
  func seconds(ofProductOf size: Int, threads: Int) -> Double {
    let a = Tensor(random: [size, size], "product/a")
    let b = Tensor(random: [size, size], "product/b")
    var c = Tensor(zeros: [size, size])
    let shape = Product(name: "square", m: size, n: size, k: size)
    return (0..<6).reduce(.infinity) { best, _ in
      let start = clock()
      let time = Comparison.time { multiply(shape, a, b, into: &c, threads: threads) }
      return min(best, threads == 1 ? Double(clock() - start) / Double(CLOCKS_PER_SEC) : time)
    }
  }
}
