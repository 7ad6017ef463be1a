import Foundation

/// OpenBLAS, loaded only when asked for: an independent check of the matrix product and the yardstick of its speed. Its
/// results depend on the processor, so nothing published comes from it.
public struct OpenBLAS: Sendable {
  private typealias Sgemm =
    @convention(c) (
      CInt, CInt, CInt, CInt, CInt, CInt, Float, UnsafePointer<Float>, CInt, UnsafePointer<Float>, CInt, Float,
      UnsafeMutablePointer<Float>, CInt
    ) -> Void

  private let sgemm: Sgemm
  /// Version, build options and the core type that it chose.
  public let configuration: String

  /// - Returns: `nil` where no OpenBLAS is installed.
  public init?() {
    let names = ["libopenblas.so.0", "libopenblas.so", "libopenblas.dylib"]
    guard let library = names.lazy.compactMap({ dlopen($0, RTLD_NOW | RTLD_LOCAL) }).first,
      let product = dlsym(library, "cblas_sgemm")
    else { return nil }
    sgemm = unsafeBitCast(product, to: Sgemm.self)
    // Threads of its own would change the order of additions with their number.
    if let set = dlsym(library, "openblas_set_num_threads") {
      unsafeBitCast(set, to: (@convention(c) (CInt) -> Void).self)(1)
    }
    if let get = dlsym(library, "openblas_get_config"),
      let text = unsafeBitCast(get, to: (@convention(c) () -> UnsafePointer<CChar>?).self)()
    {
      configuration = String(cString: text)
    } else {
      configuration = "OpenBLAS"
    }
  }

  /// `a · b` of `[m, k]` and `[k, n]`, on the calling thread.
  public func multiply(_ a: Tensor, _ b: Tensor) -> Tensor {
    precondition(
      a.shape.rank == 2 && b.shape.rank == 2 && a.shape[1] == b.shape[0], "OpenBLAS: \(a.shape) · \(b.shape)")
    let (m, k, n) = (CInt(a.shape[0]), CInt(a.shape[1]), CInt(b.shape[1]))
    var c = Tensor(zeros: [a.shape[0], b.shape[1]])
    if c.isEmpty || k == 0 { return c }
    let (rowMajor, plain): (CInt, CInt) = (101, 111)
    sgemm(rowMajor, plain, plain, m, n, k, 1, a.pointer, k, b.pointer, n, 0, c.mutablePointer, n)
    return c
  }
}
