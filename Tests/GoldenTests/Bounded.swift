import Tensors

/// An array in binary64 with a bound of the binary32 error of each element.
///
/// The bounds are those of running error analysis (Higham, "Accuracy and Stability of Numerical Algorithms", chapter 3).
/// With u = 2⁻²⁴, an operation in binary32 has an error of at most u times its result, and a sum of n products, added
/// in any order, with or without fused operations, of at most γ(n) Σ|a||b|, where γ(n) = n u / (1 - n u). Errors of
/// operands propagate: |âb̂ - ab| ≤ |a| eb + |b| ea + ea eb. So a bound follows from operation counts and magnitudes
/// alone and holds for every input. Nothing is measured.
struct Bounded {
  var shape: [Int]
  var value: [Double]
  var error: [Double]

  static let u = 0x1p-24

  /// γ(n) = n u / (1 - n u).
  static func gamma(_ n: Int) -> Double { Double(n) * u / (1 - Double(n) * u) }

  init(shape: [Int], value: [Double], error: [Double]) {
    (self.shape, self.value, self.error) = (shape, value, error)
  }

  /// Takes binary32 values, which are exact.
  init(_ tensor: Tensor) {
    self.init(
      shape: tensor.shape.array, value: tensor.array.map(Double.init),
      error: [Double](repeating: 0, count: tensor.count))
  }

  /// The values, rounded to binary32.
  var tensor: Tensor { Tensor(value.map { Float($0) }, shape: Shape(shape)) }

  static func zeros(_ shape: [Int]) -> Bounded {
    let count = shape.reduce(1, *)
    return Bounded(
      shape: shape, value: [Double](repeating: 0, count: count), error: [Double](repeating: 0, count: count))
  }

  var count: Int { value.count }
  /// The number of elements of a channel of one image.
  var plane: Int { shape[2] * shape[3] }

  /// The channels `list` of `[N, C, H, W]`, in that order.
  func channels(_ list: [Int]) -> Bounded {
    var result = Bounded.zeros([shape[0], list.count, shape[2], shape[3]])
    for n in 0..<shape[0] {
      for (to, from) in list.enumerated() {
        for i in 0..<plane {
          let (target, source) = ((n * list.count + to) * plane + i, (n * shape[1] + from) * plane + i)
          result.value[target] = value[source]
          result.error[target] = error[source]
        }
      }
    }
    return result
  }

  /// Concatenates along the channels.
  static func concatenated(_ a: Bounded, _ b: Bounded) -> Bounded {
    let (first, second) = (a.shape[1], b.shape[1])
    var result = Bounded.zeros([a.shape[0], first + second, a.shape[2], a.shape[3]])
    for n in 0..<a.shape[0] {
      for c in 0..<first + second {
        for i in 0..<a.plane {
          let target = (n * (first + second) + c) * a.plane + i
          let (from, source) =
            c < first ? (a, (n * first + c) * a.plane + i) : (b, (n * second + c - first) * a.plane + i)
          result.value[target] = from.value[source]
          result.error[target] = from.error[source]
        }
      }
    }
    return result
  }

  /// The sum, rounded once.
  static func + (a: Bounded, b: Bounded) -> Bounded {
    var result = a
    for i in 0..<a.count {
      result.value[i] = a.value[i] + b.value[i]
      let carried = a.error[i] + b.error[i]
      result.error[i] = carried + u * (abs(result.value[i]) + carried)
    }
    return result
  }
}

/// Collects sums of products for every element of a result.
struct BoundedSums {
  private var value: [Double]
  private var magnitude: [Double]
  private var carried: [Double]
  private var terms: [Int]
  private let shape: [Int]

  init(_ shape: [Int]) {
    let count = shape.reduce(1, *)
    self.shape = shape
    value = [Double](repeating: 0, count: count)
    magnitude = value
    carried = value
    terms = [Int](repeating: 0, count: count)
  }

  /// Adds `a[i] * b[j]` to element `at`.
  mutating func add(_ a: Bounded, _ i: Int, _ b: Bounded, _ j: Int, at: Int) {
    let (x, ex, y, ey) = (abs(a.value[i]), a.error[i], abs(b.value[j]), b.error[j])
    value[at] += a.value[i] * b.value[j]
    magnitude[at] += (x + ex) * (y + ey)
    carried[at] += x * ey + y * ex + ex * ey
    terms[at] += 1
  }

  /// The sums. One operation more than terms is counted, since a sum starts at zero.
  var result: Bounded {
    Bounded(
      shape: shape, value: value,
      error: value.indices.map { carried[$0] + Bounded.gamma(terms[$0] + 1) * magnitude[$0] })
  }
}
