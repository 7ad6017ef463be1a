import Determinism
import Foundation
import Testing

@testable import Tensors

@Suite("CrossEntropy, BinaryCrossEntropy, SmoothL1 and Softmax")
struct LossTests {
  /// Loss and gradient at one position by definition, in binary64.
  private func reference(
    _ logits: [Double], label: Int, weights: [Double], smoothing: Double
  ) -> (loss: Double, gradient: [Double]) {
    let total = logits.reduce(0) { $0 + Foundation.exp($1) }
    let p = logits.map { Foundation.exp($0) / total }
    let e = smoothing / Double(logits.count)
    let w = weights.reduce(0, +)
    let smooth = zip(weights, p).reduce(0) { $0 - $1.0 * Foundation.log($1.1) }
    let loss = (1 - smoothing) * weights[label] * -Foundation.log(p[label]) + e * smooth
    let gradient = p.indices.map { j in
      ((1 - smoothing) * weights[label] + e * w) * p[j] - (j == label ? (1 - smoothing) * weights[label] : 0)
        - e * weights[j]
    }
    return (loss, gradient)
  }

  @Test(
    "cross-entropy and its gradient agree with their definition",
    arguments: [[13, 9], [700, 3], [2, 5, 8, 9], [1, 4, 50, 51], [3, 1, 2, 2]], [0.0, 0.1])
  func crossEntropy(_ extents: [Int], _ smoothing: Double) {
    let shape = Shape(extents)
    let (channels, size) = (shape[1], shape.planeSize)
    let x = Tensor(ordinaryValues(shape.count, salt: 1), shape: shape)
    let positions = shape[0] * size
    let labels = (0..<positions).map { Int32($0 % 7 == 3 ? 255 : $0 * 5 % channels) }
    let weights = Tensor(shape: [channels]) { 0.5 + Float($0) }
    let options = CrossEntropy.Options(ignoredLabel: 255, labelSmoothing: smoothing)
    for w in [nil, weights] {
      let values = w?.array.map(Double.init) ?? [Double](repeating: 1, count: channels)
      var total = 0.0
      var divisor = 0.0
      var gradient = [Double](repeating: 0, count: x.count)
      for p in 0..<positions where labels[p] != 255 {
        let at = (0..<channels).map { (p / size * channels + $0) * size + p % size }
        let r = reference(
          at.map { Double(x[flat: $0]) }, label: Int(labels[p]), weights: values, smoothing: smoothing)
        total += r.loss
        divisor += values[Int(labels[p])]
        for (i, g) in zip(at, r.gradient) { gradient[i] = g }
      }
      let reductions: [(LossReduction, Double)] = [(.mean, 1 / divisor), (.sum, 1), (.scaled(0.25), 0.25)]
      for (reduction, scale) in reductions {
        let values = [1, 3].map { threads in
          Parallel.withThreads(threads) {
            CrossEntropy.evaluate(x, labels: labels, weights: w, options: options, reduction: reduction)
          }
        }
        #expect(values[0].value == values[1].value)
        #expect(values[0].gradient.isIdentical(to: values[1].gradient))
        #expect(abs(Double(values[0].value) - total * scale) <= 2e-7 * max(1, total * scale))
        for i in gradient.indices {
          let tolerance = 1e-6 * scale * (values[0].gradient[flat: i] == 0 ? 1 : 10)
          #expect(abs(Double(values[0].gradient[flat: i]) - gradient[i] * scale) <= tolerance)
        }
      }
    }
  }

  @Test("without a counted label, loss and gradient are zero, not NaN")
  func allIgnored() {
    let x = Tensor(ordinaryValues(12), shape: [3, 4])
    let loss = CrossEntropy.evaluate(x, labels: [9, 9, 9], options: .init(ignoredLabel: 9))
    #expect(loss.value == 0)
    #expect(loss.gradient.array.allSatisfy { $0 == 0 })
    let none = CrossEntropy.evaluate(Tensor(zeros: [0, 4]), labels: [])
    #expect(none.value == 0)
    #expect(BinaryCrossEntropy.evaluate(Tensor(zeros: [0]), targets: Tensor(zeros: [0])).value == 0)
  }

  @Test("huge logits give finite losses and gradients")
  func extremes() {
    let x = Tensor([3e38, -3e38, 0, 1e4, -1e4, 1e4], shape: [2, 3])
    let loss = CrossEntropy.evaluate(x, labels: [0, 1])
    #expect(loss.gradient.array.allSatisfy { $0.isFinite })
    #expect(loss.value == 1e4 + Float(Foundation.log(2.0) / 2))
    let binary = BinaryCrossEntropy.evaluate(
      Tensor([1e4, -1e4, 1e4, -1e4], shape: [4]), targets: Tensor([1, 0, 0, 1], shape: [4]), reduction: .sum)
    #expect(binary.value == 2e4)
    #expect(binary.gradient.array == [0, 0, 1, -1])
  }

  @Test(
    "binary cross-entropy and smooth L1 agree with their definitions, summed by numerics 5",
    arguments: [1, 67, 5003])
  func elementwise(_ n: Int) {
    let x = ordinaryValues(n, salt: 2).map { $0 * 4 }
    let t = ordinaryValues(n, salt: 3).map { ($0 + 2) / 4 }
    let w = ordinaryValues(n, salt: 4).map { $0 + 2 }
    let q = ordinaryValues(n, salt: 5).map { $0 + 2.5 }
    let losses = (0..<n).map { i -> Double in
      let (a, b) = (Double(x[i]), Double(t[i]))
      let p = 1 / (1 + Foundation.exp(-a))
      return -Double(w[i]) * (Double(q[i]) * b * Foundation.log(p) + (1 - b) * Foundation.log(1 - p))
    }
    let shape: Shape = [n]
    let loss = BinaryCrossEntropy.evaluate(
      Tensor(x, shape: shape), targets: Tensor(t, shape: shape), weights: Tensor(w, shape: shape),
      positiveWeights: Tensor(q, shape: shape))
    let mean = referenceSum(losses) / Double(n)
    #expect(abs(Double(loss.value) - mean) <= 2e-7 * max(1, mean))
    let single = Tensor(Array(x.prefix(5)), shape: [min(5, n)])
    let targets = Tensor(Array(t.prefix(5)), shape: [min(5, n)])
    let at = BinaryCrossEntropy.evaluate(single, targets: targets, reduction: .sum)
    expectDerivative(
      at.gradient, of: { Double(BinaryCrossEntropy.evaluate($0, targets: targets, reduction: .sum).value) }, at: single)

    let huber = SmoothL1.evaluate(
      Tensor(x, shape: shape), targets: Tensor(t, shape: shape), beta: 0.5, reduction: .sum)
    let expected = (0..<n).map { i -> Double in
      let d = abs(Double(x[i]) - Double(t[i]))
      return d < 0.5 ? 0.5 * d * d / 0.5 : d - 0.25
    }
    #expect(huber.value == Float(referenceSum(expected)))
    for i in 0..<n {
      let d = Double(x[i]) - Double(t[i])
      #expect(huber.gradient[flat: i] == Float(abs(d) < 0.5 ? d / 0.5 : (d > 0 ? 1 : -1)))
    }
  }

  @Test(
    "gradients of softmax and log-softmax agree with finite differences",
    arguments: [([3, 6], 1), ([2, 5, 3], 1), ([2, 3, 4], -1)])
  func softmaxGradients(_ c: (extents: [Int], dimension: Int)) {
    let shape = Shape(c.extents)
    let x = Tensor(ordinaryValues(shape.count, salt: 6), shape: shape)
    let dy = Tensor(ordinaryValues(shape.count, salt: 7), shape: shape)
    let y = Softmax.forward(x, dimension: c.dimension)
    expectDerivative(
      Softmax.gradient(output: y, upstream: dy, dimension: c.dimension),
      of: { inner(Softmax.forward($0, dimension: c.dimension), dy) }, at: x)
    let log = Softmax.logarithm(x, dimension: c.dimension)
    expectDerivative(
      Softmax.logarithmGradient(output: log, upstream: dy, dimension: c.dimension),
      of: { inner(Softmax.logarithm($0, dimension: c.dimension), dy) }, at: x)
    for (a, b) in zip(y.array, log.array) { #expect(abs(Double(a) - Foundation.exp(Double(b))) < 1e-6) }
  }
}
