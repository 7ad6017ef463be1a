import CKernels
import Determinism

/// Products of matrices `[rows, columns]`. With the portable engine each element of a result is one chain of fused
/// multiply-adds in ascending order of k, then the bias, then `+ (+0)`.
public enum MatrixProduct {
  /// `op(a) · op(b)`, with `op` the transpose where requested; `columnBias`, `[columns]`, is added to every row.
  public static func multiply(
    _ a: Tensor, transposeA: Bool = false, _ b: Tensor, transposeB: Bool = false, columnBias: Tensor? = nil
  ) -> Tensor {
    precondition(a.shape.rank == 2 && b.shape.rank == 2, "matmul: \(a.shape) · \(b.shape)")
    let (m, ka) = transposeA ? (a.shape[1], a.shape[0]) : (a.shape[0], a.shape[1])
    let (kb, n) = transposeB ? (b.shape[1], b.shape[0]) : (b.shape[0], b.shape[1])
    precondition(
      ka == kb && (columnBias == nil || columnBias!.count == n),
      "matmul: \(a.shape)\(transposeA ? "ᵀ" : "") · \(b.shape)\(transposeB ? "ᵀ" : "")")
    if let device = Device.current, device.takes(a, b) {
      return device.product(
        m: m, n: n, k: ka, a, aRow: transposeA ? 1 : ka, aColumn: transposeA ? m : 1, b, bRow: transposeB ? 1 : n,
        bColumn: transposeB ? ka : 1, columnBias: columnBias)
    }
    var c = Tensor(uninitialized: [m, n])
    multiply(
      m: m, n: n, k: ka, a.pointer.base, aRow: transposeA ? 1 : ka, aColumn: transposeA ? m : 1, b.pointer.base,
      bRow: transposeB ? 1 : n, bColumn: transposeB ? ka : 1, columnBias: columnBias?.pointer.base,
      c.mutablePointer.base)
    return c
  }

  /// As above, over raw memory with strides; `c` is contiguous. One of `bRow` and `bColumn` is 1.
  static func multiply(
    m: Int, n: Int, k: Int, _ a: UnsafePointer<Float>, aRow: Int, aColumn: Int, _ b: UnsafePointer<Float>, bRow: Int,
    bColumn: Int, columnBias: UnsafePointer<Float>?, _ c: UnsafeMutablePointer<Float>
  ) {
    if m == 0 || n == 0 { return }
    if let library = Engine.openBLAS {
      library.multiply(
        m: m, n: n, k: k, .init(a, row: aRow, column: aColumn), .init(b, row: bRow, column: bColumn),
        columnBias: columnBias, c)
      return
    }
    if aColumn == 1 && bRow == 1 && k >= 4096 && m <= 256 && n <= 256 {
      multiplyRows(m: m, n: n, k: k, a, aRow: aRow, b, bColumn: bColumn, columnBias: columnBias, c)
      return
    }
    let packed = PackedLeft(rows: m, columns: k, source: a, row: aRow, outer: aColumn)
    // Rows are split where the left factor exceeds the cache, and where columns alone give too few pieces.
    let bands = (m + 527) / 528
    var rows = ((m + bands - 1) / bands).roundedUp(toMultipleOf: 48)
    var rowPieces = (m + rows - 1) / rows
    let wanted = max(1, (8 + rowPieces - 1) / rowPieces)
    let columns = min(512, max(32, (n / wanted).roundedUp(toMultipleOf: 32)))
    let columnPieces = (n + columns - 1) / columns
    if columnPieces * rowPieces < 8, m > 96 {
      rows = max(48, (m / ((8 + columnPieces - 1) / columnPieces)).roundedUp(toMultipleOf: 48))
      rowPieces = (m + rows - 1) / rows
    }
    Parallel.forEach(columnPieces * rowPieces) { i in
      let column = i / rowPieces * columns
      let row = i % rowPieces * rows
      ck_matrix_product(
        Backend.isa, Int64(m), Int64(k), packed.pointer(group: 0), Int64(row), Int64(min(m, row + rows)), b,
        Int64(bRow), Int64(bColumn), Int64(column), Int64(min(n, column + columns)), columnBias, c, Int64(n))
    }
  }

  /// Products with long chains and few results, such as weight gradients of narrow layers: packing would cost more than
  /// it saves, and there are too few columns to share.
  private static func multiplyRows(
    m: Int, n: Int, k: Int, _ a: UnsafePointer<Float>, aRow: Int, _ b: UnsafePointer<Float>, bColumn: Int,
    columnBias: UnsafePointer<Float>?, _ c: UnsafeMutablePointer<Float>
  ) {
    let columns = n <= 64 ? n : 48
    let columnPieces = (n + columns - 1) / columns
    // Every piece transposes its columns again, so pieces are as high as leaves some to share.
    let height = [128, 64].first { (m + $0 - 1) / $0 * columnPieces >= 4 } ?? 24
    let rowPieces = (m + height - 1) / height
    Parallel.forEach(rowPieces * columnPieces) { i in
      let row = i / columnPieces * height
      let column = i % columnPieces * columns
      ck_row_product(
        Backend.isa, Int64(k), a, Int64(aRow), Int64(row), Int64(min(m, row + height)), b, Int64(bColumn),
        Int64(column),
        Int64(min(n, column + columns)), columnBias, c, Int64(n))
    }
  }
}

/// `op(a) · op(b)`; see `MatrixProduct.multiply`.
public func matmul(_ a: Tensor, transposeA: Bool = false, _ b: Tensor, transposeB: Bool = false) -> Tensor {
  MatrixProduct.multiply(a, transposeA: transposeA, b, transposeB: transposeB)
}
