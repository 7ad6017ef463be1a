import CKernels
import Determinism

/// Sums in binary64 (numerics 5): blocks of 2048 contiguous elements in 16 lanes, which are folded 8, 4, 2, 1; then
/// blocks and images in ascending order; one rounding to binary32 at the end.
public enum Reduction {
  /// The sum of all elements as one contiguous plane; not rounded to binary32.
  public static func sum(_ x: Tensor) -> Double {
    if let device = Device.current, device.takes(x) { return device.sum(.values(x), count: x.count) }
    let source = x.pointer
    let kernel = Backend.maps.sum
    return blockSum(x.count) { from, n in kernel(n, source + from) }
  }

  /// Adds up what `kernel` gives for blocks, in their order, or for all at once, which gives the same bits.
  private static func blockSum(_ count: Int, _ kernel: (_ from: Int, _ n: Int) -> Double) -> Double {
    if count <= Loops.grain { return kernel(0, count) }
    let blocks = (count + Loops.block - 1) / Loops.block
    return withUnsafeTemporaryAllocation(of: Double.self, capacity: blocks) { partial in
      let base = partial.baseAddress!
      Loops.elements(count) { start, n in
        for block in start / Loops.block..<(start + n + Loops.block - 1) / Loops.block {
          let from = block * Loops.block
          base[block] = kernel(from, min(Loops.block, count - from))
        }
      }
      var total = 0.0
      for block in 0..<blocks { total += base[block] }
      return total
    }
  }

  /// The sum of the squares of all elements, which are exact, in the order of `sum`; not rounded to binary32.
  public static func sumOfSquares(_ x: Tensor) -> Double {
    if let device = Device.current, device.takes(x) { return device.sum(.products(x, x), count: x.count) }
    let source = x.pointer
    let kernel = Backend.maps.dot
    return blockSum(x.count) { from, n in kernel(n, source + from, source + from) }
  }

  /// The sums of tensors that `make` gives, one after the other; nil where it gives none. A device is waited for once.
  public static func sums(_ count: Int, of make: (Int) -> Tensor?) -> [Double?] {
    each(count, of: make, sum) { .values($0) }
  }

  /// The sums of squares, likewise.
  public static func sumsOfSquares(_ count: Int, of make: (Int) -> Tensor?) -> [Double?] {
    each(count, of: make, sumOfSquares) { .products($0, $0) }
  }

  private static func each(
    _ count: Int, of make: (Int) -> Tensor?, _ sum: (Tensor) -> Double, _ summand: (Tensor) -> Device.Summand
  ) -> [Double?] {
    guard let device = Device.current else { return (0..<count).map { make($0).map(sum) } }
    var sums = [Double?](repeating: nil, count: count)
    let totals = device.doubles(count)
    var places: [Int] = []
    for i in 0..<count {
      guard let tensor = make(i) else { continue }
      if device.takes(tensor) {
        device.writeSum(summand(tensor), count: tensor.count, into: totals.advanced(by: i))
        places.append(i)
      } else {
        sums[i] = sum(tensor)
      }
    }
    guard !places.isEmpty else { return sums }
    let values = device.values(totals, count)
    for i in places { sums[i] = values[i] }
    return sums
  }

  /// The mean of all elements, not rounded to binary32; NaN for an empty tensor.
  public static func mean(_ x: Tensor) -> Double { sum(x) / Double(x.count) }

  /// `[C]`: the sum of every channel of `[N, C, ...]`.
  public static func channelSums(_ x: Tensor) -> Tensor {
    precondition(x.shape.rank >= 2, "channelSums: \(x.shape)")
    return planeSums(x, into: [x.shape[1]])
  }

  /// `[N, C]`: the sum of every plane of `[N, C, ...]`.
  public static func planeSums(_ x: Tensor) -> Tensor {
    precondition(x.shape.rank >= 2, "planeSums: \(x.shape)")
    return planeSums(x, into: [x.shape[0], x.shape[1]])
  }

  /// `[C]`: the mean of every channel of `[N, C, ...]`.
  public static func channelMeans(_ x: Tensor) -> Tensor {
    precondition(x.shape.rank >= 2, "channelMeans: \(x.shape)")
    let size = x.shape.planeSize
    let count = Double(x.shape[0] * size)
    if let device = Device.current, device.takes(x) {
      return device.foldPlanes(.values(x), x.shape, into: [x.shape[1]], divisor: count)
    }
    let source = x.pointer
    let kernel = Backend.maps.sum
    return foldPlanes(x.shape, into: [x.shape[1]], divisor: count) { kernel(size, source + $0 * size) }
  }

  private static func planeSums(_ x: Tensor, into result: Shape) -> Tensor {
    if let device = Device.current, device.takes(x) { return device.foldPlanes(.values(x), x.shape, into: result) }
    let source = x.pointer
    let size = x.shape.planeSize
    let kernel = Backend.maps.sum
    return foldPlanes(x.shape, into: result) { kernel(size, source + $0 * size) }
  }

  /// Takes one binary64 value per plane, adds them in image order where the result is `[C]`, divides by `divisor` and
  /// rounds once.
  static func foldPlanes(
    _ shape: Shape, into result: Shape, divisor: Double = 1, _ value: (Int) -> Double
  ) -> Tensor {
    let planes = shape[0] * shape[1]
    var out = Tensor(uninitialized: result)
    let target = out.mutablePointer
    withUnsafeTemporaryAllocation(of: Double.self, capacity: max(1, planes)) { partial in
      let base = partial.baseAddress!
      Loops.planes(planes, size: shape.planeSize) { base[$0] = value($0) }
      let rows = result.rank == 1 ? shape[0] : 1
      for i in 0..<result.count {
        var total = 0.0
        for row in 0..<rows { total += base[row * result.count + i] }
        target[i] = Float(total / divisor)
      }
    }
    return out
  }
}
