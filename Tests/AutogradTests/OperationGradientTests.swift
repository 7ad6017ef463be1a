import Autograd
import Tensors
import Testing

@Suite("The gradient of every operation agrees with finite differences")
struct OperationGradientTests {
  private func check(
    _ name: String, _ shapes: [Shape], varied: [Int]? = nil, tolerance: Float = 1e-2,
    _ operation: @escaping ([Variable]) -> Variable
  ) {
    let inputs = shapes.enumerated().map { GradientCheck.random($1, name: "\(name)/\($0)") }
    GradientCheck(name: name, inputs: inputs, varied: varied, tolerance: tolerance, operation: operation).run()
  }

  @Test("elementwise operations")
  func elementwise() {
    check("add", [[2, 3], [2, 3]]) { add($0[0], $0[1]) }
    check("add of one variable to itself", [[5]]) { add($0[0], $0[0]) }
    check("affine", [[7]]) { affine($0[0], scale: -1, shift: 2) }
    check("relu", [[3, 5]]) { relu($0[0]) }
    check("sigmoid", [[3, 5]]) { sigmoid($0[0]) }
    check("scaleChannels", [[2, 3, 4, 5], [2, 3]]) { scaleChannels($0[0], by: $0[1]) }
    check("weightedSum", [[], [], []]) { weightedSum($0, weights: [1, 0.3, -2]) }
  }

  @Test("shape operations")
  func shapes() {
    check("reshape", [[2, 6]]) { reshape($0[0], [3, 4]) }
    check("concatenate", [[2, 1, 3, 3], [2, 2, 3, 3]]) { concatenate($0) }
    check("concatenateRows", [[2, 3], [1, 3]]) { concatenateRows($0) }
    check("channels", [[2, 5, 3, 2]]) { channels($0[0], 1..<4) }
    check("shuffleSplit, normalised after the identity branch", [[2, 8, 3, 2], [4], [4]]) { input in
      let (identity, main) = shuffleSplit(input[0])
      let tripled = affine(main, scale: 3, shift: 1)
      return batchNormTraining(
        tripled, scale: input[1], shift: input[2], options: .init(), relu: false, after: identity
      ).output
    }
    check("gather", [[2, 4]]) { gather($0[0], at: [3, 0, 3, 7]) }
  }

  @Test(
    "convolutions",
    arguments: [
      (inputs: 3, outputs: 4, kernel: 1, stride: 1, dilation: 1, groups: 1),
      (inputs: 3, outputs: 4, kernel: 3, stride: 1, dilation: 1, groups: 1),
      (inputs: 3, outputs: 4, kernel: 3, stride: 2, dilation: 1, groups: 1),
      (inputs: 2, outputs: 3, kernel: 3, stride: 1, dilation: 2, groups: 1),
      (inputs: 4, outputs: 6, kernel: 3, stride: 1, dilation: 1, groups: 2),
      (inputs: 4, outputs: 4, kernel: 3, stride: 1, dilation: 1, groups: 4),
      (inputs: 4, outputs: 4, kernel: 5, stride: 2, dilation: 1, groups: 4),
      (inputs: 2, outputs: 2, kernel: 7, stride: 1, dilation: 1, groups: 2),
    ])
  func convolutions(inputs: Int, outputs: Int, kernel: Int, stride: Int, dilation: Int, groups: Int) {
    let geometry = Convolution2D(
      stride: stride, padding: dilation * (kernel - 1) / 2, dilation: dilation, groups: groups)
    check(
      "convolution \(kernel)x\(kernel)/\(stride), dilation \(dilation), groups \(groups)",
      [[2, inputs, 7, 6], [outputs, inputs / groups, kernel, kernel], [outputs]]
    ) { convolution($0[0], weight: $0[1], bias: $0[2], geometry) }
  }

  @Test("linear layers and transposed convolutions")
  func products() {
    check("linear", [[3, 4], [5, 4], [5]]) { linear($0[0], weight: $0[1], bias: $0[2]) }
    check("transposed convolution", [[2, 3, 4, 3], [3, 2, 2, 2], [2]]) {
      transposedConvolution2x2($0[0], weight: $0[1], bias: $0[2])
    }
  }

  @Test("deformable convolution")
  func deformable() {
    // Offsets of 0.3 ± 0.2 stay away from whole numbers, where bilinear interpolation has kinks.
    var offsets = GradientCheck.random([1, 18, 4, 5], name: "deformable/offsets")
    offsets.withMutableElements { for i in $0.indices { $0[i] = 0.3 + 0.2 * $0[i] } }
    let inputs = [
      GradientCheck.random([1, 2, 4, 5], name: "deformable/x"), offsets,
      GradientCheck.random([1, 9, 4, 5], name: "deformable/mask"),
      GradientCheck.random([3, 2, 3, 3], name: "deformable/weight"), GradientCheck.random([3], name: "deformable/bias"),
    ]
    GradientCheck(name: "deformable convolution", inputs: inputs) {
      deformableConvolution(
        $0[0], offsets: $0[1], mask: $0[2], weight: $0[3], bias: $0[4],
        DeformableConvolution(padding: 1))
    }.run()
  }

  @Test("batch and group normalisation")
  func norms() {
    check("batch norm, training", [[3, 2, 4, 4], [2], [2]], tolerance: 2e-2) {
      batchNormTraining($0[0], scale: $0[1], shift: $0[2], options: .init(), relu: false).output
    }
    check("batch norm, evaluation", [[3, 2, 4, 4], [2], [2]]) {
      batchNormEvaluation(
        $0[0], scale: $0[1], shift: $0[2], mean: Tensor([0.1, -0.2], shape: [2]),
        variance: Tensor([0.5, 2], shape: [2]), relu: false)
    }
    check("group norm", [[2, 4, 3, 4], [4], [4]], tolerance: 2e-2) {
      groupNorm($0[0], groups: 2, scale: $0[1], shift: $0[2], relu: false)
    }
  }

  @Test("pooling and resampling")
  func pooling() {
    check("global average", [[2, 3, 4, 5]]) { globalAveragePool($0[0]) }
    check("subsample", [[1, 2, 5, 6]]) { subsample2x($0[0]) }
    check("max pool", [[1, 2, 6, 6]]) { maxPool($0[0], kernelSize: 3, stride: 2, padding: 1) }
    check("nearest", [[1, 2, 3, 4]]) { upsampleNearest2x($0[0]) }
    check("bilinear, corners aligned", [[1, 2, 3, 4]]) {
      resizeBilinear($0[0], height: 7, width: 5, alignCorners: true)
    }
    check("bilinear, half pixels", [[1, 2, 3, 4]]) {
      resizeBilinear($0[0], height: 6, width: 8, alignCorners: false)
    }
    let regions = Tensor([0, 0.3, 1.1, 5.2, 6.4, 1, -1, 2, 7, 4], shape: [2, 5])
    check("RoI align", [[2, 2, 5, 6]]) {
      roiAlign($0[0], regions: regions, size: 3, spatialScale: 0.5, samplingRatio: 2)
    }
  }

  @Test("losses")
  func losses() {
    check("cross-entropy, [N, C]", [[4, 5]]) { crossEntropy($0[0], labels: [0, 4, -1, 2], ignoring: -1) }
    check("cross-entropy, label smoothing", [[3, 4]]) {
      crossEntropy($0[0], labels: [1, 3, 0], ignoring: -1, smoothing: 0.1)
    }
    check("cross-entropy, [N, C, H, W]", [[2, 3, 2, 2]]) {
      crossEntropy($0[0], labels: [0, 1, 255, 2, 2, 255, 1, 0], ignoring: 255)
    }
    let targets = Tensor([0, 1, 1, 0, 1], shape: [5])
    check("binary cross-entropy", [[5]]) { binaryCrossEntropy($0[0], targets: targets) }
    check("smooth L1", [[5]]) { smoothL1($0[0], targets: targets, beta: 0.4, divisor: 3) }
  }
}
