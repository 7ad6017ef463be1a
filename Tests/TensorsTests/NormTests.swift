import Testing

@testable import Tensors

@Suite("BatchNormalization and GroupNormalization")
struct NormTests {
  let shape: Shape = [3, 4, 3, 5]
  var x: Tensor { Tensor(ordinaryValues(shape.count, salt: 8), shape: shape) }
  var dy: Tensor { Tensor(ordinaryValues(shape.count, salt: 9), shape: shape) }
  let weight = Tensor([1.5, -0.7, 0, 2], shape: [4])
  let bias = Tensor([0.1, 0.6, -0.4, -0.2], shape: [4])

  private func train(
    _ x: Tensor, _ weight: Tensor, _ bias: Tensor, _ options: BatchNormalization.Options, relu: Bool
  ) -> (output: Tensor, statistics: NormalizationStatistics) {
    let result = BatchNormalization.train(x, weight: weight, bias: bias, options: options, relu: relu)
    return (result.output, result.statistics)
  }

  @Test("batch normalisation agrees with the two-pass definition in binary64", arguments: [false, true])
  func definition(_ unbiased: Bool) {
    let offset = Tensor(shape: shape) { 1000 + x[flat: $0] }
    for input in [x, offset] {
      var (mean, variance) = (Tensor([0, 1, 2, 3], shape: [4]), Tensor([1, 2, 3, 4], shape: [4]))
      let options = BatchNormalization.Options(normalizesByUnbiasedVariance: unbiased)
      let (y, statistics, batch) = BatchNormalization.train(input, weight: weight, bias: bias, options: options)
      batch.move(&mean, &variance, momentum: 0.25)
      for c in 0..<4 {
        let at = (0..<3).flatMap { n in (0..<15).map { (n * 4 + c) * 15 + $0 } }
        let values = at.map { Double(input[flat: $0]) }
        let mu = values.reduce(0, +) / 45
        let squares = values.reduce(0) { $0 + ($1 - mu) * ($1 - mu) }
        let inverse = 1 / (squares / (unbiased ? 44 : 45) + 1e-5).squareRoot()
        #expect(statistics.mean[flat: c] == Float(mu))
        #expect(abs(Double(statistics.inverseDeviation[flat: c]) / inverse - 1) < 1e-7)
        #expect(abs(Double(mean[flat: c]) - (0.75 * Double(c) + 0.25 * mu)) < 1e-4)
        #expect(abs(Double(variance[flat: c]) - (0.75 * Double(c + 1) + 0.25 * squares / 44)) < 1e-6)
        for (i, v) in zip(at, values) {
          let expected = (v - mu) * inverse * Double(weight[flat: c]) + Double(bias[flat: c])
          // Values near 1000 are themselves rounded to 2^-15.
          #expect(abs(Double(y[flat: i]) - expected) < (mu > 500 ? 2e-4 : 2e-6))
        }
      }
    }
  }

  @Test("a fused ReLU has the bits of a ReLU after normalisation, forwards and backwards")
  func fusedReLU() {
    let plain = train(x, weight, bias, .init(), relu: false)
    let fused = train(x, weight, bias, .init(), relu: true)
    #expect(fused.output.isIdentical(to: Elementwise.relu(plain.output)))
    let masked = Elementwise.reluGradient(output: fused.output, upstream: dy)
    let one = BatchNormalization.trainGradient(
      x, upstream: dy, weight: weight, bias: bias, statistics: fused.statistics, relu: true)
    let two = BatchNormalization.trainGradient(
      x, upstream: masked, weight: weight, bias: bias, statistics: fused.statistics)
    #expect(one.input.isIdentical(to: two.input))
    #expect(one.weight.isIdentical(to: two.weight))
    #expect(one.bias.isIdentical(to: two.bias))

    let group = GroupNormalization.forward(x, groups: 2, weight: weight, bias: bias)
    let groupFused = GroupNormalization.forward(x, groups: 2, weight: weight, bias: bias, relu: true)
    #expect(groupFused.output.isIdentical(to: Elementwise.relu(group.output)))
    let groupMasked = Elementwise.reluGradient(output: groupFused.output, upstream: dy)
    let three = GroupNormalization.gradient(
      x, groups: 2, upstream: dy, weight: weight, bias: bias, statistics: group.statistics, relu: true)
    let four = GroupNormalization.gradient(
      x, groups: 2, upstream: groupMasked, weight: weight, bias: bias, statistics: group.statistics)
    #expect(three.input.isIdentical(to: four.input))
    #expect(three.weight.isIdentical(to: four.weight))
    #expect(three.bias.isIdentical(to: four.bias))
  }

  @Test("gradients of batch normalisation in training agree with finite differences", arguments: [false, true])
  func trainingGradients(_ unbiased: Bool) {
    let options = BatchNormalization.Options(normalizesByUnbiasedVariance: unbiased)
    let (_, statistics) = train(x, weight, bias, options, relu: false)
    let g = BatchNormalization.trainGradient(
      x, upstream: dy, weight: weight, bias: bias, statistics: statistics, options: options)
    expectDerivative(g.input, of: { inner(train($0, weight, bias, options, relu: false).output, dy) }, at: x)
    expectDerivative(g.weight, of: { inner(train(x, $0, bias, options, relu: false).output, dy) }, at: weight)
    expectDerivative(g.bias, of: { inner(train(x, weight, $0, options, relu: false).output, dy) }, at: bias)
  }

  @Test("gradients of batch normalisation by running statistics agree with finite differences")
  func evaluationGradients() {
    let mean = Tensor([0.3, -0.2, 0.1, 0], shape: [4])
    let variance = Tensor([1, 2, 0.5, 0.1], shape: [4])
    func run(_ x: Tensor, _ w: Tensor, _ b: Tensor) -> (output: Tensor, statistics: NormalizationStatistics) {
      BatchNormalization.evaluate(x, weight: w, bias: b, runningMean: mean, runningVariance: variance)
    }
    let g = BatchNormalization.evaluateGradient(
      x, upstream: dy, weight: weight, bias: bias, statistics: run(x, weight, bias).statistics)
    expectDerivative(g.input, of: { inner(run($0, weight, bias).output, dy) }, at: x)
    expectDerivative(g.weight, of: { inner(run(x, $0, bias).output, dy) }, at: weight)
    expectDerivative(g.bias, of: { inner(run(x, weight, $0).output, dy) }, at: bias)
  }

  @Test("gradients of group normalisation agree with finite differences", arguments: [1, 2, 4])
  func groupGradients(_ groups: Int) {
    func run(_ x: Tensor, _ w: Tensor, _ b: Tensor) -> (output: Tensor, statistics: NormalizationStatistics) {
      GroupNormalization.forward(x, groups: groups, weight: w, bias: b)
    }
    let g = GroupNormalization.gradient(
      x, groups: groups, upstream: dy, weight: weight, bias: bias, statistics: run(x, weight, bias).statistics)
    expectDerivative(g.input, of: { inner(run($0, weight, bias).output, dy) }, at: x)
    expectDerivative(g.weight, of: { inner(run(x, $0, bias).output, dy) }, at: weight)
    expectDerivative(g.bias, of: { inner(run(x, weight, $0).output, dy) }, at: bias)
  }

  @Test("group normalisation takes rows [N, C] and empty batches")
  func edges() {
    let rows = Tensor(ordinaryValues(5 * 8), shape: [5, 8])
    let (w, b) = (Tensor(repeating: 1, shape: [8]), Tensor(zeros: [8]))
    let (y, _) = GroupNormalization.forward(rows, groups: 2, weight: w, bias: b)
    for row in 0..<10 {
      let mean = (0..<4).reduce(0.0) { $0 + Double(y[flat: row * 4 + $1]) } / 4
      #expect(abs(mean) < 1e-6)
    }
    let none = Tensor(zeros: [0, 8, 3, 3])
    let (empty, statistics) = GroupNormalization.forward(none, groups: 2, weight: w, bias: b)
    #expect(empty.shape == none.shape)
    let g = GroupNormalization.gradient(
      none, groups: 2, upstream: none, weight: w, bias: b, statistics: statistics)
    #expect(g.weight.array == [Float](repeating: 0, count: 8))
    #expect(g.bias.array == [Float](repeating: 0, count: 8))
  }

  @Test("a constant channel has variance zero, never a negative one")
  func constant() {
    let flat = Tensor(repeating: 0.1, shape: [3, 4, 3, 5])
    let (y, statistics) = train(flat, weight, bias, .init(), relu: false)
    #expect(statistics.inverseDeviation.array.allSatisfy { $0 == Float(1 / 1e-5.squareRoot()) })
    #expect(y.array.allSatisfy { $0.isFinite })
  }
}
