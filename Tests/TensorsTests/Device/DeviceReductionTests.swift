import Testing

@testable import Tensors

@Suite("A device has the bits of the processor: sums and normalisation", .needsDevice)
struct DeviceReductionTests {
  static let shapes: [Shape] = [
    [1, 1, 1, 1], [2, 3, 1, 1], [3, 5, 7, 9], [2, 16, 16, 16], [1, 2, 64, 33], [5, 4, 45, 46], [2, 1, 1, 4097],
  ]

  @Test("sums and means of planes, channels, columns and everything", arguments: shapes)
  func sums(_ shape: Shape) {
    expectDeviceParity("sums of \(shape)") {
      let x = Tensor(edgeValues(shape.count, salt: 3), shape: shape)
      let matrix = x.reshaped([shape.count / shape[3], shape[3]])
      return [
        Reduction.channelSums(x), Reduction.planeSums(x), Reduction.channelMeans(x), Pooling.globalAverage(x),
        LinearMap.biasGradient(matrix), LinearMap.biasGradient(x.reshaped([shape.count, 1])),
        Convolution2D().biasGradient(x),
        halves([Reduction.sum(x), Reduction.sumOfSquares(x), Reduction.mean(x)]),
      ]
    }
  }

  @Test("batch normalisation, training and running statistics, with and without ReLU", arguments: shapes)
  func batch(_ shape: Shape) {
    for relu in [false, true] {
      for isUnbiased in [false, true] where shape.count / shape[1] > 1 || !isUnbiased {
        expectDeviceParity("batch normalisation of \(shape)") {
          let x = Tensor(ordinaryValues(shape.count, salt: 4).map { $0 + 100 }, shape: shape)
          let (w, b) = parameters(shape[1])
          let options = BatchNormalization.Options(normalizesByUnbiasedVariance: isUnbiased)
          let block = Tensor(ordinaryValues(shape[0] * 4 * shape.planeSize), shape: shape.replacing(1, with: 4))
          let (y, statistics, batch) = BatchNormalization.train(
            x, weight: w, bias: b, options: options, relu: relu, afterIdentityOf: isUnbiased ? block : nil)
          let dy = Tensor(edgeValues(y.count, salt: 5).map { max(-9, min(9, $0)) }, shape: y.shape)
          let g = BatchNormalization.trainGradient(
            x, upstream: dy, weight: w, bias: b, statistics: statistics, relu: relu, options: options)
          var (mean, variance) = (Tensor(zeros: [shape[1]]), Tensor(repeating: 1, shape: [shape[1]]))
          for _ in 0..<2 { batch.move(&mean, &variance, momentum: 0.3) }
          let running = Tensor(shape: [shape[1]]) { 90 + Float($0) }
          let (z, fixed) = BatchNormalization.evaluate(
            x, weight: w, bias: b, runningMean: running, runningVariance: running, relu: relu)
          let f = BatchNormalization.evaluateGradient(
            x, upstream: z, weight: w, bias: b, statistics: fixed, relu: relu)
          return [
            y, statistics.mean, statistics.inverseDeviation, mean, variance, halves(batch.mean + batch.variance),
            g.input, g.weight,
            g.bias, z, fixed.inverseDeviation, f.input, f.weight, f.bias,
          ]
        }
      }
    }
  }

  @Test(
    "group normalisation with one, two and all groups", arguments: [[3, 4, 3, 5], [2, 16, 16, 17], [1, 4, 50, 45]])
  func group(_ extents: [Int]) {
    let shape = Shape(extents)
    for groups in [1, 2, shape[1]] {
      for relu in [false, true] {
        expectDeviceParity("group normalisation of \(shape)") {
          let x = Tensor(ordinaryValues(shape.count, salt: 6), shape: shape)
          let (w, b) = parameters(shape[1])
          let (y, statistics) = GroupNormalization.forward(x, groups: groups, weight: w, bias: b, relu: relu)
          let g = GroupNormalization.gradient(
            x, groups: groups, upstream: x, weight: w, bias: b, statistics: statistics, relu: relu)
          return [y, statistics.mean, statistics.inverseDeviation, g.input, g.weight, g.bias]
        }
      }
    }
  }

  private func parameters(_ channels: Int) -> (Tensor, Tensor) {
    (
      Tensor(ordinaryValues(channels, salt: 7), shape: [channels]),
      Tensor(ordinaryValues(channels, salt: 8), shape: [channels])
    )
  }
}
