import Testing

@testable import Tensors

@Suite(
  "A device has the bits of the processor: depthwise and deformable convolution, pooling, resampling, losses",
  .needsDevice)
struct DeviceMapTests {
  @Test("depthwise convolutions and their gradients", arguments: ConvolutionCase.depthwise)
  func depthwise(_ c: ConvolutionCase) {
    expectDeviceParity("\(c.testDescription)") {
      let x = ProductReference.values(Shape(c.x), "x")
      let w = ProductReference.values(Shape(c.w), "w")
      let y = c.layer.forward(x, weight: w, bias: ProductReference.values([c.w[0]], "bias"))
      let dy = ProductReference.values(y.shape, "dy")
      return [
        y, c.layer.inputGradient(dy, weight: w, inputShape: x.shape),
        c.layer.weightGradient(dy, x, weightShape: w.shape),
      ]
    }
  }

  @Test(
    "deformable convolutions and their gradients, with samples outside, and more positions than a chunk has",
    arguments: DeformableCase.all + [
      .init(x: [2, 20, 40, 30], w: [5, 20, 3, 3]), .init(x: [3, 5, 3, 2], w: [2, 5, 1, 1], padding: 0),
    ])
  func deformable(_ c: DeformableCase) {
    for (hasMask, reach) in [(true, Float(2)), (false, 9)] {
      expectDeviceParity("\(c.testDescription), reach \(reach)") {
        let output = c.layer.outputShape(input: Shape(c.x), weight: Shape(c.w))
        let taps = c.w[2] * c.w[3] * c.offsetGroups
        let x = ProductReference.values(Shape(c.x), "x")
        let w = ProductReference.values(Shape(c.w), "w")
        let offset = Elementwise.scale(
          ProductReference.values([c.x[0], 2 * taps, output[2], output[3]], "offset", extreme: false), by: reach)
        let mask = hasMask ? ProductReference.values([c.x[0], taps, output[2], output[3]], "mask") : nil
        let dy = ProductReference.values(output, "dy")
        let g = c.layer.gradients(dy, x, offset: offset, mask: mask, weight: w)
        return [
          c.layer.forward(x, offset: offset, mask: mask, weight: w, bias: ProductReference.values([c.w[0]], "bias")),
          g.x, g.offset, g.weight,
        ] + (g.mask.map { [$0] } ?? [])
      }
    }
  }

  @Test("pooling and its gradients, also with equal maxima and windows that overlap")
  func pooling() {
    for (kernel, stride, padding, isUp) in [
      (3, 2, 1, false), (2, 2, 0, true), (3, 1, 1, false), (1, 2, 0, false), (5, 3, 2, true),
    ] {
      expectDeviceParity("max pooling \(kernel), \(stride), \(padding)") {
        let x = Tensor(edgeValues(3 * 4 * 13 * 17).map { ($0 * 4).rounded() / 4 }, shape: [3, 4, 13, 17])
        let (y, indices) = Pooling.maximum(
          x, PoolingWindow(kernelSize: kernel, stride: stride, padding: padding, ceilMode: isUp))
        let dy = Tensor(edgeValues(y.count, salt: 9), shape: y.shape)
        return [
          y, Tensor(indices.array.map { Float($0) }, shape: y.shape),
          Pooling.maximumGradient(upstream: dy, indices: indices, input: x.shape),
        ]
      }
    }
    expectDeviceParity("averages and subsampling") {
      let x = Tensor(edgeValues(2 * 3 * 7 * 9), shape: [2, 3, 7, 9])
      let small = Pooling.subsample(x)
      return [
        Pooling.globalAverageGradient(upstream: Tensor(ordinaryValues(6), shape: [2, 3]), input: x.shape), small,
        Pooling.subsampleGradient(upstream: small, input: x.shape), Pooling.subsample(x, stride: 3),
      ]
    }
  }

  @Test(
    "resampling in both grids, larger and smaller",
    arguments: [(7, 9, 14, 18), (8, 5, 3, 4), (4, 4, 4, 4), (1, 3, 5, 7), (10, 12, 23, 5)])
  func resampling(_ sizes: (Int, Int, Int, Int)) {
    let (h, w, height, width) = sizes
    expectDeviceParity("resampling \(sizes)") {
      let x = Tensor(edgeValues(2 * 3 * h * w), shape: [2, 3, h, w])
      let dy = Tensor(edgeValues(2 * 3 * height * width, salt: 3), shape: [2, 3, height, width])
      return [ResamplingGrid.cornerAligned, .halfPixel].flatMap { grid in
        [
          Resampling.bilinear(x, height: height, width: width, grid: grid),
          Resampling.bilinearGradient(upstream: dy, input: x.shape, grid: grid),
        ]
      } + [
        Resampling.nearest(x, height: height, width: width), Resampling.nearestGradient(upstream: dy, input: x.shape),
      ]
    }
  }

  @Test("RoIAlign and its gradient, with regions outside, and single elements", arguments: [false, true])
  func regions(_ aligned: Bool) {
    expectDeviceParity("RoIAlign") {
      let x = Tensor(ordinaryValues(2 * 19 * 9 * 11), shape: [2, 19, 9, 11])
      let rois = Tensor(
        [
          0, 3, 4, 30, 41, 1, -20, -9, 200, 150, 0, 10, 10, 10, 10, 0, 300, 300, 420, 400, 1, 0, 0, 88, 72, 0, 5, 6, 60,
          9,
        ], shape: [6, 5])
      let options = RoIAlignment.Options(
        outputHeight: 3, outputWidth: 4, spatialScale: 1 / 8, samplingRatio: 2, aligned: aligned)
      let y = RoIAlignment.forward(x, rois: rois, options)
      let dy = Tensor(edgeValues(y.count), shape: y.shape)
      let indices: [Int32] = [5, 0, 99, 5, 3, 5, 99, 2, 117, 0]
      let picked = Gathering.gather(y, at: indices)
      return [
        y, RoIAlignment.gradient(upstream: dy, features: x.shape, rois: rois, options), picked,
        Gathering.scatter(picked, at: indices, shape: [2, 3, 20]),
      ]
    }
  }

  @Test("softmax and losses over rows and images, with weights, smoothing and ignored labels")
  func losses() {
    for shape: Shape in [[5, 7], [1, 1], [130, 3], [2, 5, 9, 8], [3, 20, 16, 17]] {
      expectDeviceParity("losses of \(shape)") {
        let x = Tensor(edgeValues(shape.count).map { max(-60, min(60, $0)) }, shape: shape)
        let dy = Tensor(ordinaryValues(shape.count, salt: 2), shape: shape)
        let labels = (0..<shape.count / shape[1]).map { Int32($0 % 4 == 3 ? 99 : $0 % shape[1]) }
        let w = Tensor(shape: [shape[1]]) { 0.5 + Float($0) }
        let (y, log) = (Softmax.forward(x), Softmax.logarithm(x))
        var results = [
          y, log, Softmax.gradient(output: y, upstream: dy), Softmax.logarithmGradient(output: log, upstream: dy),
          Softmax.forward(x, dimension: 0),
        ]
        for smoothing in [0, 0.1] {
          for weights in [nil, w] {
            let loss = CrossEntropy.evaluate(
              x, labels: labels, weights: weights, options: .init(ignoredLabel: 99, labelSmoothing: smoothing))
            results += [loss.tensor, loss.gradient]
          }
        }
        let targets = Tensor(shape: shape) { Float($0 % 3) / 2 }
        let last = Tensor(shape: [shape[-1]]) { 1 + Float($0) }
        for (weights, positive) in [(nil, nil), (dy, nil), (nil, last), (dy, last)] as [(Tensor?, Tensor?)] {
          let loss = BinaryCrossEntropy.evaluate(x, targets: targets, weights: weights, positiveWeights: positive)
          results += [loss.tensor, loss.gradient]
        }
        for beta in [0, 1, 0.1] {
          let loss = SmoothL1.evaluate(x, targets: targets, beta: beta, reduction: .scaled(0.3))
          results += [loss.tensor, loss.gradient]
        }
        return results
      }
    }
  }
}
