import Determinism
import Foundation

/// OpenBLAS, loaded on demand: an independent check of the products and the baseline of their speed. Its results depend
/// on the processor, so no published result uses it.
public struct OpenBLAS: Sendable {
  private typealias Sgemm =
    @convention(c) (
      CInt, CInt, CInt, CInt, CInt, CInt, Float, UnsafePointer<Float>, CInt, UnsafePointer<Float>, CInt, Float,
      UnsafeMutablePointer<Float>, CInt
    ) -> Void

  private let sgemm: Sgemm
  /// Version, build options and core type, as `openblas_get_config` reports them.
  public let configuration: String
  /// The version, such as `0.3.21`.
  public let version: String
  /// The core type whose kernels it selected, such as `SkylakeX`.
  public let core: String

  /// The library as loaded into this process; `nil` where none is installed.
  static let shared = OpenBLAS()

  /// - Returns: `nil` where no OpenBLAS is installed.
  public init?() {
    let names = ["libopenblas.so.0", "libopenblas.so", "libopenblas.dylib"]
    guard let library = names.lazy.compactMap({ dlopen($0, RTLD_NOW | RTLD_LOCAL) }).first,
      let product = dlsym(library, "cblas_sgemm")
    else { return nil }
    sgemm = unsafeBitCast(product, to: Sgemm.self)
    // With several threads the order of additions would depend on their number.
    if let set = dlsym(library, "openblas_set_num_threads") {
      unsafeBitCast(set, to: (@convention(c) (CInt) -> Void).self)(1)
    }
    func text(_ function: String) -> String? {
      guard let get = dlsym(library, function) else { return nil }
      return unsafeBitCast(get, to: (@convention(c) () -> UnsafePointer<CChar>?).self)().map { String(cString: $0) }
    }
    configuration = text("openblas_get_config") ?? "OpenBLAS"
    // "OpenBLAS 0.3.21 NO_LAPACKE DYNAMIC_ARCH ..."
    version = configuration.split(separator: " ").dropFirst().first.map(String.init) ?? "unknown"
    core = text("openblas_get_corename") ?? "unknown"
  }

  /// `a · b` of `[m, k]` and `[k, n]`, on the calling thread.
  public func multiply(_ a: Tensor, _ b: Tensor) -> Tensor {
    precondition(
      a.shape.rank == 2 && b.shape.rank == 2 && a.shape[1] == b.shape[0], "OpenBLAS: \(a.shape) · \(b.shape)")
    let (m, k, n) = (a.shape[0], a.shape[1], b.shape[1])
    var c = Tensor(zeros: [m, n])
    multiply(
      m: m, n: n, k: k, Matrix(a.pointer.base, row: k, column: 1), Matrix(b.pointer.base, row: n, column: 1),
      c.mutablePointer.base,
      row: n)
    return c
  }

  /// A matrix whose element (i, j) is at `start[i * row + j * column]`; one of the two strides is 1.
  struct Matrix {
    let start: UnsafePointer<Float>
    let row: Int
    let column: Int

    init(_ start: UnsafePointer<Float>, row: Int, column: Int) {
      precondition(row == 1 || column == 1, "OpenBLAS: strides \(row) and \(column)")
      (self.start, self.row, self.column) = (start, row, column)
    }

    /// The BLAS transpose flag and leading dimension.
    fileprivate func lines(rows: Int, columns: Int) -> (CInt, CInt) {
      let (plain, transposed): (CInt, CInt) = (111, 112)
      return column == 1 && (row >= columns || rows <= 1)
        ? (plain, CInt(max(row, columns, 1))) : (transposed, CInt(max(column, rows, 1)))
    }
  }

  /// `c = a · b`, or `c += a · b`, on the calling thread; the rows of `c` are `row` floats apart.
  func multiply(
    m: Int, n: Int, k: Int, _ a: Matrix, _ b: Matrix, _ c: UnsafeMutablePointer<Float>, row: Int, adding: Bool = false
  ) {
    if m == 0 || n == 0 { return }
    let (rowMajor, left, right) = (CInt(101), a.lines(rows: m, columns: k), b.lines(rows: k, columns: n))
    sgemm(
      rowMajor, left.0, right.0, CInt(m), CInt(n), CInt(k), 1, a.start, left.1, b.start, right.1, adding ? 1 : 0, c,
      CInt(row))
  }

  /// The implementation of `MatrixProduct.multiply`: columns are split by shape, with one call per piece.
  func multiply(
    m: Int, n: Int, k: Int, _ a: Matrix, _ b: Matrix, columnBias: UnsafePointer<Float>?,
    _ c: UnsafeMutablePointer<Float>
  ) {
    let columns = max(32, (n / 8 + 31) / 32 * 32)
    Parallel.forEachChunk(n, chunk: columns) { range in
      let part = Matrix(b.start + range.lowerBound * b.column, row: b.row, column: b.column)
      multiply(m: m, n: range.count, k: k, a, part, c + range.lowerBound, row: n)
      guard let columnBias else { return }
      for i in 0..<m {
        for j in range { c[i * n + j] += columnBias[j] }
      }
    }
  }
}
