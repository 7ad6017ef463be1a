import CCodecs

/// The weights of a triangle filter for every output sample of one axis, as Pillow computes them.
struct ResampleWeights {
  /// Weights of one output; some at its ends are 0.
  let width: Int
  /// The first input sample of each output.
  private(set) var first: [Int32]
  /// Output by output, in 2^-22, rounded half away from zero.
  private(set) var values: [Int32]

  /// Inputs with a weight, at most, and where they are.
  private static func range(_ i: Int, scale: Double, radius: Double, count: Int) -> Range<Int> {
    let center = (Double(i) + 0.5) * scale
    return max(0, Int(center - radius + 0.5))..<min(count, Int(center + radius + 0.5))
  }

  init(from count: Int, to newCount: Int) {
    if count == newCount {
      // Pillow skips a pass that changes nothing; so does a weight of one.
      width = 1
      first = (0..<Int32(count)).map { $0 }
      values = [Int32](repeating: 1 << 22, count: count)
      return
    }
    let scale = Double(count) / Double(newCount)
    let radius = max(scale, 1)
    var width = 0
    for i in 0..<newCount {
      width = max(width, ResampleWeights.range(i, scale: scale, radius: radius, count: count).count)
    }
    self.width = width
    var first = [Int32](repeating: 0, count: newCount)
    var values = [Int32](repeating: 0, count: newCount * width)
    var row = [Double](repeating: 0, count: width)
    for i in 0..<newCount {
      let center = (Double(i) + 0.5) * scale
      let range = ResampleWeights.range(i, scale: scale, radius: radius, count: count)
      var sum = 0.0
      for x in range {
        let weight = max(0, 1 - abs((Double(x) - center + 0.5) * (1 / radius)))
        row[x - range.lowerBound] = weight
        sum += weight
      }
      // Every output has as many weights; at the far end the zeros come first.
      let start = min(range.lowerBound, count - width)
      first[i] = Int32(start)
      for x in range {
        let weight = row[x - range.lowerBound]
        values[i * width + x - start] = Int32((sum == 0 ? weight : weight / sum) * Double(1 << 22) + 0.5)
      }
    }
    (self.first, self.values) = (first, values)
  }

  /// Calls `body` with pointers that live as long as the call.
  func withC<R>(_ body: (cc_weights) -> R) -> R {
    first.withUnsafeBufferPointer { first in
      values.withUnsafeBufferPointer { values in
        body(
          cc_weights(
            count: Int32(first.count), width: Int32(width), first: first.baseAddress, weights: values.baseAddress))
      }
    }
  }
}
