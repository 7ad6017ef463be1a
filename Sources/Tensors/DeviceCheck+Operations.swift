private func ordinary(_ shape: Shape, _ salt: Int = 0) -> Tensor { DeviceCheckValues.ordinary(shape, salt) }
private func edges(_ shape: Shape, _ salt: Int = 0) -> Tensor { DeviceCheckValues.edges(shape, salt) }

extension DeviceCheck {
  /// Every operation that a device has a kernel for, over shapes with and without remainders. Inputs are made anew each
  /// time, since a tensor keeps what it has on a device.
  static let operations: [(name: String, body: @Sendable () -> [Tensor])] =
    elementwise + normalization + products + maps + losses

  private static let elementwise: [(name: String, body: @Sendable () -> [Tensor])] = [
    (
      "arithmetic",
      {
        [1, 33, 67, 10_007].flatMap { n -> [Tensor] in
          let (a, b) = (edges([n], 1), edges([n], 2))
          var sum = a
          Elementwise.accumulate(b, into: &sum)
          Elementwise.accumulate(b, times: 0.7, into: &sum)
          Elementwise.scale(&sum, by: -3)
          return [
            Elementwise.add(a, b), Elementwise.subtract(a, b), Elementwise.multiply(a, b),
            Elementwise.scale(a, by: 0.3),
            Elementwise.add(a, scalar: 0x1p-130), sum,
          ]
        }
      }
    ),
    (
      "functions and their gradients",
      {
        let x = Tensor(shape: [100_003]) { Float(bitPattern: UInt32(truncatingIfNeeded: $0 &* 42_949 &+ 7)) }
        let (y, dy) = (edges([5_003], 1), edges([5_003], 2))
        return [
          Elementwise.relu(x), Elementwise.exp(x), Elementwise.log(x), Elementwise.sigmoid(x), Elementwise.tanh(x),
          Elementwise.reluGradient(output: y, upstream: dy), Elementwise.sigmoidGradient(output: y, upstream: dy),
          Elementwise.tanhGradient(output: y, upstream: dy),
        ]
      }
    ),
    (
      "gradient descent",
      {
        [false, true].flatMap { nesterov -> [Tensor] in
          var (p, velocity) = (ordinary([3_001], 1), Tensor?.none)
          let step = GradientDescent(rate: 0.1, momentum: 0.9, weightDecay: 0.003, nesterov: nesterov)
          for i in 0..<3 { step.update(&p, velocity: &velocity, gradient: edges([3_001], i)) }
          return [p, velocity!]
        }
      }
    ),
    (
      "copies of channels and rows",
      {
        let (a, b) = (ordinary([3, 8, 5, 7]), ordinary([3, 1, 5, 7], 1))
        let joined = Channels.concatenate([a, b, a])
        let main = ChannelShuffle.main(a)
        return [
          joined, main, Channels.slice(joined, 3..<12), Tensor.concatenate([a.rows(1..<3), a]),
          ChannelShuffle.inputGradient(joined: joined, main: main), Elementwise.scaleChannels(a, by: ordinary([3, 8])),
          Elementwise.scaleChannelsGradient(a, upstream: a, factors: [8]),
        ]
      }
    ),
  ]

  private static let normalization: [(name: String, body: @Sendable () -> [Tensor])] = [
    (
      "sums",
      {
        ([[2, 3, 1, 1], [3, 5, 7, 9], [5, 4, 45, 46]] as [Shape]).flatMap { shape -> [Tensor] in
          let x = edges(shape, 3)
          return [
            Reduction.channelSums(x), Reduction.planeSums(x), Reduction.channelMeans(x), Pooling.globalAverage(x),
            LinearMap.biasGradient(x.reshaped([shape.count, 1])), Convolution2D().biasGradient(x),
          ]
        }
      }
    ),
    (
      "batch normalisation",
      {
        ([[2, 3, 1, 1], [3, 5, 7, 9], [5, 4, 45, 46]] as [Shape]).flatMap { shape -> [Tensor] in
          let (x, w, b) = (ordinary(shape, 4), ordinary([shape[1]], 5), ordinary([shape[1]], 6))
          let (y, statistics, _) = BatchNormalization.train(x, weight: w, bias: b, relu: true)
          let g = BatchNormalization.trainGradient(
            x, upstream: y, weight: w, bias: b, statistics: statistics, relu: true)
          let running = Tensor(shape: [shape[1]]) { 1 + Float($0) }
          let z = BatchNormalization.evaluate(x, weight: w, bias: b, runningMean: running, runningVariance: running)
          return [y, statistics.mean, statistics.inverseDeviation, g.input, g.weight, g.bias, z.output]
        }
      }
    ),
    (
      "group normalisation",
      {
        [1, 2, 16].flatMap { groups -> [Tensor] in
          let (x, w, b) = (ordinary([2, 16, 46, 45], 4), ordinary([16], 5), ordinary([16], 6))
          let (y, statistics) = GroupNormalization.forward(x, groups: groups, weight: w, bias: b, relu: true)
          let g = GroupNormalization.gradient(
            x, groups: groups, upstream: y, weight: w, bias: b, statistics: statistics, relu: true)
          return [y, g.input, g.weight, g.bias]
        }
      }
    ),
  ]

  private static let products: [(name: String, body: @Sendable () -> [Tensor])] = [
    (
      "matrix products",
      {
        [(1, 1, 1), (33, 64, 67), (130, 70, 129)].flatMap { m, k, n -> [Tensor] in
          let (a, b, bias) = (ordinary([m, k], 1), edges([n, k], 2), ordinary([n], 3))
          return [
            MatrixProduct.multiply(a, b, transposeB: true, columnBias: bias),
            MatrixProduct.multiply(a.reshaped([k, m]), transposeA: true, b.reshaped([k, n])),
            LinearMap.weightGradient(ordinary([2_100, 5], 4), ordinary([2_100, 7], 5)),
          ]
        }
      }
    ),
    (
      "convolutions",
      {
        let cases: [(Convolution2D, Shape, Shape)] = [
          (.init(padding: 1), [2, 3, 9, 7], [5, 3, 3, 3]),
          (.init(stride: 2, padding: 3), [2, 3, 64, 64], [8, 3, 7, 7]),
          (.init(stride: 2, padding: 1, groups: 3), [2, 12, 14, 14], [18, 4, 3, 3]),
          (.init(padding: 4, dilation: 2), [5, 24, 7, 7], [13, 24, 5, 5]),
          (.init(), [3, 70, 40, 31], [150, 70, 1, 1]),
          (.init(padding: 1, groups: 17), [3, 17, 33, 32], [17, 1, 3, 3]),
          (.init(stride: 2, padding: 3, groups: 5), [3, 5, 20, 19], [5, 1, 7, 7]),
        ]
        return cases.flatMap { c, input, weight -> [Tensor] in
          let (x, w) = (ordinary(input, 1), ordinary(weight, 2))
          let y = c.forward(x, weight: w, bias: ordinary([weight[0]], 3))
          return [
            y, c.inputGradient(y, weight: w, inputShape: input), c.weightGradient(y, x, weightShape: weight),
          ]
        }
      }
    ),
    (
      "transposed convolution",
      {
        let (x, w) = (ordinary([2, 17, 9, 6], 1), ordinary([17, 6, 2, 2], 2))
        let y = TransposedConvolution2x2.forward(x, weight: w, bias: ordinary([6], 3))
        return [y, TransposedConvolution2x2.weightGradient(y, x, weightShape: w.shape)]
      }
    ),
    (
      "deformable convolution",
      {
        ([(1, 1, [2, 20, 30, 31]), (2, 2, [1, 4, 9, 8])] as [(Int, Int, Shape)]).flatMap {
          groups, offsetGroups, input -> [Tensor] in
          let c = DeformableConvolution(padding: 1, groups: groups, offsetGroups: offsetGroups)
          let (x, w) = (ordinary(input, 1), ordinary([6, input[1] / groups, 3, 3], 2))
          let offset = Elementwise.scale(ordinary([input[0], 18 * offsetGroups, input[2], input[3]], 3), by: 3)
          let mask = ordinary([input[0], 9 * offsetGroups, input[2], input[3]], 4)
          let y = c.forward(x, offset: offset, mask: mask, weight: w)
          let g = c.gradients(y, x, offset: offset, mask: mask, weight: w)
          return [y, g.x, g.offset, g.mask!, g.weight]
        }
      }
    ),
  ]

  private static let maps: [(name: String, body: @Sendable () -> [Tensor])] = [
    (
      "pooling",
      {
        let x = Tensor(shape: [2, 3, 13, 17]) { Float(($0 &* 7_919) % 11) }
        let (y, indices) = Pooling.maximum(x, PoolingWindow(kernelSize: 3, stride: 2, padding: 1))
        let small = Pooling.subsample(x)
        return [
          y, Pooling.maximumGradient(upstream: ordinary(y.shape, 1), indices: indices, input: x.shape), small,
          Pooling.subsampleGradient(upstream: small, input: x.shape),
          Pooling.globalAverageGradient(upstream: ordinary([2, 3]), input: x.shape),
        ]
      }
    ),
    (
      "resampling",
      {
        [(14, 18), (3, 4), (23, 5)].flatMap { height, width -> [Tensor] in
          let (x, dy) = (edges([2, 3, 7, 9], 1), edges([2, 3, height, width], 2))
          return [ResamplingGrid.cornerAligned, .halfPixel].flatMap {
            [
              Resampling.bilinear(x, height: height, width: width, grid: $0),
              Resampling.bilinearGradient(upstream: dy, input: x.shape, grid: $0),
            ]
          } + [
            Resampling.nearest(x, height: height, width: width),
            Resampling.nearestGradient(upstream: dy, input: x.shape),
          ]
        }
      }
    ),
    (
      "RoIAlign and single elements",
      {
        let x = ordinary([2, 19, 9, 11], 1)
        let rois = Tensor([0, 3, 4, 30, 41, 1, -20, -9, 200, 150, 0, 300, 300, 420, 400], shape: [3, 5])
        let options = RoIAlignment.Options(outputHeight: 3, outputWidth: 4, spatialScale: 1 / 8, samplingRatio: 3)
        let y = RoIAlignment.forward(x, rois: rois, options)
        let indices: [Int32] = [5, 0, 99, 5, 3, 5, 99, 2, 117, 0]
        let picked = Gathering.gather(y, at: indices)
        return [
          y, RoIAlignment.gradient(upstream: y, features: x.shape, rois: rois, options), picked,
          Gathering.scatter(picked, at: indices, shape: [120]),
        ]
      }
    ),
  ]

  private static let losses: [(name: String, body: @Sendable () -> [Tensor])] = [
    (
      "softmax and losses",
      {
        ([[5, 7], [3, 20, 16, 17]] as [Shape]).flatMap { shape -> [Tensor] in
          let (x, dy) = (ordinary(shape, 1), ordinary(shape, 2))
          let labels = (0..<shape.count / shape[1]).map { Int32($0 % 4 == 3 ? 99 : $0 % shape[1]) }
          let y = Softmax.forward(x)
          let cross = CrossEntropy.evaluate(
            x, labels: labels, options: .init(ignoredLabel: 99, labelSmoothing: 0.1))
          let binary = BinaryCrossEntropy.evaluate(x, targets: dy, weights: dy)
          let smooth = SmoothL1.evaluate(x, targets: dy, beta: 0.1)
          return [
            y, Softmax.gradient(output: y, upstream: dy), Softmax.logarithm(x), cross.tensor, cross.gradient,
            binary.tensor, binary.gradient, smooth.tensor, smooth.gradient,
          ]
        }
      }
    )
  ]
}
