import Tensors

/// Operations that are bound by memory: maps, normalisation, softmax, pooling, resampling, RoIAlign.
func layerSuite(_ filter: String) -> [Benchmark] {
  let shape: Shape = [8, 64, 64, 64]
  let text = "\(shape)"
  let x = Tensor(random: shape, "layer/x")
  let y = Tensor(random: shape, "layer/y")
  let channels: Shape = [shape[1]]
  let weight = Tensor(random: channels, "layer/weight")
  let bias = Tensor(random: channels, "layer/bias")
  let (normalized, statistics, _) = BatchNormalization.train(x, weight: weight, bias: bias, relu: true)
  let rois = Tensor(shape: [64, 5]) { i in
    let (roi, column) = (i / 5, i % 5)
    let low = Float(roi % 16) * 8
    return column == 0 ? Float(roi % shape[0]) : column < 3 ? low : low + 100
  }
  let options = RoIAlignment.Options(outputHeight: 7, outputWidth: 7, spatialScale: 0.25)

  // Tensors read and written, counted once each.
  func work(_ tensors: Double) -> Work { .bytes(tensors * x.bytes) }
  let all = [
    Benchmark("map/add", text, work(3)) { .tensor(Elementwise.add(x, y)) },
    Benchmark("map/relu", text, work(2)) { .tensor(Elementwise.relu(x)) },
    Benchmark("map/sigmoid", text, work(2)) { .tensor(Elementwise.sigmoid(x)) },
    Benchmark("map/exp", text, work(2)) { .tensor(Elementwise.exp(x)) },
    Benchmark("reduction/channel-sums", text, work(1)) { .tensor(Reduction.channelSums(x)) },
    Benchmark("normalisation/batch-train", text, work(3)) {
      let result = BatchNormalization.train(x, weight: weight, bias: bias, relu: true)
      return .tensors([result.output, result.statistics.mean, result.statistics.inverseDeviation])
    },
    Benchmark("normalisation/batch-gradient", text, work(5)) {
      let gradients = BatchNormalization.trainGradient(
        x, upstream: y, weight: weight, statistics: statistics, reluOutput: normalized)
      return .tensors([gradients.input, gradients.weight, gradients.bias])
    },
    Benchmark("softmax/channels", text, work(2)) { .tensor(Softmax.forward(x)) },
    Benchmark("pooling/maximum-3×3", text, work(1.25)) {
      .tensor(Pooling.maximum(x, PoolingWindow(kernelSize: 3, stride: 2, padding: 1)).output)
    },
    Benchmark("resampling/bilinear-2", text, work(5)) {
      .tensor(Resampling.bilinear(x, height: 128, width: 128, grid: .halfPixel))
    },
    Benchmark("roi-align/7×7", "64 boxes of \(text)", .bytes(64 * 64 * 49 * 4 * 4)) {
      .tensor(RoIAlignment.forward(x, rois: rois, options))
    },
  ]
  return all.filter { matches($0.name, filter) }
}
