import CKernels

/// The fully connected layer `y = x · Wᵀ + b` and its gradients. `x` is `[rows, inputs]`, `W` `[outputs, inputs]`.
public enum LinearMap {
  /// `x · Wᵀ + b`.
  /// - Parameter bias: `[outputs]`.
  /// - Returns: `[rows, outputs]`.
  public static func forward(_ x: Tensor, weight: Tensor, bias: Tensor? = nil) -> Tensor {
    MatrixProduct.multiply(x, weight, transposeB: true, columnBias: bias)
  }

  /// The gradient of `x`.
  /// - Returns: `[rows, inputs]`.
  public static func inputGradient(_ dy: Tensor, weight: Tensor) -> Tensor {
    MatrixProduct.multiply(dy, weight)
  }

  /// The gradient of `W`: chunks of 2048 rows are one chain each and are added in ascending order.
  /// - Returns: `[outputs, inputs]`.
  public static func weightGradient(_ dy: Tensor, _ x: Tensor) -> Tensor {
    precondition(
      dy.shape.rank == 2 && x.shape.rank == 2 && dy.shape[0] == x.shape[0], "Linear: \(dy.shape), \(x.shape)")
    let rows = dy.shape[0]
    let chunk = WeightGradientPlan.chunkPositions
    guard rows > 0 else { return Tensor(zeros: [dy.shape[1], x.shape[1]]) }
    if rows <= chunk { return MatrixProduct.multiply(dy, transposeA: true, x) }
    if let device = Device.current, device.takes(dy, x) { return device.linearWeightGradient(dy, x) }
    var total = Tensor(uninitialized: [dy.shape[1], x.shape[1]])
    for first in stride(from: 0, to: rows, by: chunk) {
      let range = first..<min(rows, first + chunk)
      let part = MatrixProduct.multiply(dy.rows(range), transposeA: true, x.rows(range))
      ck_fold_plain(
        Int64(total.count), part.pointer.base, first == 0 ? 1 : 0, range.upperBound == rows ? 1 : 0,
        total.mutablePointer.base)
    }
    return total
  }

  /// The gradient of the bias: the sum of each column, by the summation rule for planes.
  /// - Returns: `[outputs]`.
  public static func biasGradient(_ dy: Tensor) -> Tensor {
    precondition(dy.shape.rank == 2, "Linear: \(dy.shape)")
    if let device = Device.current, device.takes(dy) { return device.columnSums(dy) }
    let (rows, columns) = (dy.shape[0], dy.shape[1])
    var db = Tensor(uninitialized: [columns])
    ck_column_sums(dy.pointer.base, Int64(rows), Int64(columns), db.mutablePointer.base)
    return db
  }
}
