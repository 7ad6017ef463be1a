import Testing

@testable import Tensors

@Suite("Pooling")
struct PoolTests {
  struct Case: Sendable, CustomTestStringConvertible {
    var window: PoolingWindow
    var height: Int
    var width: Int
    var testDescription: String { "\(height)×\(width), \(window)" }
  }

  static let cases: [Case] = [(1, 2, 0), (2, 2, 0), (3, 2, 1), (3, 1, 1), (5, 3, 2), (2, 1, 1)].flatMap { k, s, p in
    [false, true].flatMap { ceil in
      [(5, 7), (8, 6), (10, 13)].map { h, w in
        Case(window: .init(kernelSize: k, stride: s, padding: p, ceilMode: ceil), height: h, width: w)
      }
    }
  }

  /// The input positions that output `o` reads along an axis.
  private func taps(_ o: Int, _ extent: Int, _ w: PoolingWindow) -> [Int] {
    (0..<w.kernelSize).map { o * w.stride - w.padding + $0 }.filter { $0 >= 0 && $0 < extent }
  }

  @Test("maximum: the first of equal values wins and takes the gradient", arguments: cases)
  func maximum(_ c: Case) {
    let shape: Shape = [2, 3, c.height, c.width]
    // There are few distinct values, so that windows have ties.
    let x = Tensor(shape: shape) { Float($0 * 7 % 5) - 2 }
    let (y, indices) = Pooling.maximum(x, c.window)
    let dy = Tensor(ordinaryValues(y.count), shape: y.shape)
    var expected = [Float](repeating: 0, count: x.count)
    let (oh, ow) = (y.shape[2], y.shape[3])
    for o in 0..<y.count {
      let plane = o / (oh * ow)
      var best: (value: Float, at: Int)?
      for v in taps(o / ow % oh, c.height, c.window) {
        for h in taps(o % ow, c.width, c.window) {
          let at = v * c.width + h
          let value = x[flat: plane * c.height * c.width + at]
          if best == nil || value > best!.value { best = (value, at) }
        }
      }
      #expect(y[flat: o] == best!.value)
      #expect(Int(indices.array[o]) == best!.at)
      expected[plane * c.height * c.width + best!.at] += dy[flat: o]
    }
    #expect(Pooling.maximumGradient(upstream: dy, indices: indices, input: shape).array == expected)
  }

  @Test("the last window of ceil mode starts inside the image or its leading padding")
  func extents() {
    #expect(PoolingWindow(kernelSize: 3, stride: 2, padding: 1).outputExtent(10) == 5)
    #expect(PoolingWindow(kernelSize: 3, stride: 2, padding: 1, ceilMode: true).outputExtent(10) == 6)
    #expect(PoolingWindow(kernelSize: 2, stride: 2, padding: 1, ceilMode: true).outputExtent(3) == 2)
    #expect(PoolingWindow(kernelSize: 1, stride: 2).outputExtent(7) == 4)
  }

  @Test("global average and subsampling agree with their definitions, forwards and backwards")
  func global() {
    let x = Tensor(ordinaryValues(2 * 3 * 35), shape: [2, 3, 5, 7])
    let y = Pooling.globalAverage(x)
    #expect(y.shape == [2, 3])
    for p in 0..<6 { #expect(y[flat: p] == Float(referenceSum(x.array[p * 35..<p * 35 + 35].map(Double.init)) / 35)) }
    let dx = Pooling.globalAverageGradient(upstream: y, input: x.shape)
    #expect(dx[flat: 36] == y[flat: 1] / 35)

    let s = Pooling.subsample(x)
    #expect(s.shape == [2, 3, 3, 4])
    #expect(s[flat: 12 + 5] == x[flat: 35 + 2 * 7 + 2])
    let back = Pooling.subsampleGradient(upstream: s, input: x.shape)
    #expect(abs(inner(back, x) - inner(s, s)) < 1e-5)
  }
}
