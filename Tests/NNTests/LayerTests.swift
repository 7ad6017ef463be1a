import Autograd
import Determinism
import NN
import Tensors
import Testing

@Suite("BatchNorm2d")
struct BatchNorm2dTests {
  @Test("running statistics move only when the pass is committed, and never in evaluation")
  func batchNorm() {
    let store = ParameterStore(seeds: nil)
    let norm = BatchNorm2d(store.root, channels: 1, momentum: 0.25, relu: false)
    let x = Tensor([1, 3, 5, 7], shape: [1, 1, 2, 2])
    let pass = Pass(mode: .recalibration)
    _ = norm(pass.constant(x))
    #expect(norm.runningMean.value.item == 0)
    pass.commitStatistics()
    // Mean 4, unbiased variance 20 / 3.
    #expect(norm.runningMean.value.item == 1)
    #expect(norm.runningVariance.value.item == Float(0.75 + 0.25 * 20 / 3))
    let evaluation = Pass(mode: .evaluation)
    _ = norm(evaluation.constant(x))
    evaluation.commitStatistics()
    #expect(norm.runningMean.value.item == 1)
    norm.resetStatistics()
    #expect(norm.runningMean.value.item == 0)
    #expect(norm.runningVariance.value.item == 1)
  }

  @Test("weights 1, 1/2, 1/3 of three passes leave the mean of their statistics and nothing of the start")
  func recalibration() {
    let norm = BatchNorm2d(ParameterStore(seeds: nil).root, channels: 1, momentum: 0.25, relu: false)
    for (step, shift) in [Float(0), 3, 6].enumerated() {
      let pass = Pass(mode: .recalibration)
      pass.statisticsWeight = 1 / Double(step + 1)
      _ = norm(pass.constant(Tensor([1, 3, 5, 7].map { $0 + shift }, shape: [1, 1, 2, 2])))
      pass.commitStatistics()
    }
    #expect(abs(norm.runningMean.value.item - 7) < 1e-6)
    #expect(abs(norm.runningVariance.value.item - 20 / 3) < 1e-5)
  }
}

@Suite("Conv2d, Linear, TransposedConv2x2, DeformableConv2d and GroupNorm")
struct LayerTests {
  private let seeds = Seeds(kind: "layers", seed: 1)

  private func value(_ shape: Shape, _ layer: (Variable) -> Variable) -> Tensor {
    var random = seeds.stream("x")
    let pass = Pass(mode: .evaluation)
    let x = pass.constant(Tensor(shape: shape) { _ in Float(random.normal()) })
    return layer(x).value
  }

  @Test("Conv2d keeps the size of the map by default, whatever kernel and dilation", arguments: [1, 3, 5], [1, 2])
  func padding(kernelSize: Int, dilation: Int) {
    let layer = Conv2d(
      ParameterStore(seeds: seeds).root, inputChannels: 2, outputChannels: 3, kernelSize: kernelSize,
      dilation: dilation, bias: false, weight: .kaimingUniform)
    #expect(value([1, 2, 9, 7], layer.callAsFunction).shape == [1, 3, 9, 7])
  }

  @Test("Linear computes x Wᵀ + b")
  func linear() {
    let layer = Linear(
      ParameterStore(seeds: seeds).root, inputs: 2, outputs: 3, bias: true, weight: .constant(0),
      biasInitializer: .constant(0.5))
    layer.weight.value = Tensor([1, 2, 3, 4, 5, 6], shape: [3, 2])
    let pass = Pass(mode: .evaluation)
    let y = layer(pass.constant(Tensor([10, 1], shape: [1, 2])))
    #expect(y.value.array == [12.5, 34.5, 56.5])
  }

  @Test("TransposedConv2x2 doubles the map")
  func transposed() {
    let layer = TransposedConv2x2(
      ParameterStore(seeds: seeds).root, inputChannels: 4, outputChannels: 2, weight: .kaimingNormalFanOut)
    #expect(value([2, 4, 3, 5], layer.callAsFunction).shape == [2, 2, 6, 10])
  }

  @Test("GroupNorm normalises each group of an image, then applies ReLU if asked")
  func groupNorm() {
    let norm = GroupNorm(ParameterStore(seeds: seeds).root, channels: 4, groups: 2, relu: false)
    let y = value([3, 4, 5, 5], norm.callAsFunction)
    for group in 0..<6 {
      let values = y.array[group * 50..<(group + 1) * 50].map { Double($0) }
      #expect(abs(values.reduce(0, +) / 50) < 1e-6)
      #expect(abs(values.reduce(0) { $0 + $1 * $1 } / 50 - 1) < 1e-3)
    }
    let rectified = GroupNorm(ParameterStore(seeds: seeds).root, channels: 4, groups: 2, relu: true)
    #expect(value([3, 4, 5, 5], rectified.callAsFunction).array == y.array.map { max($0, 0) })
  }

  // Offsets are zero and masks 1/2: every sample is half the value of a cell, and halving commutes with rounding.
  @Test("DeformableConv2d starts as half a plain convolution, bit for bit", arguments: [3, 5])
  func deformableStart(kernelSize: Int) {
    let deformable = DeformableConv2d(
      ParameterStore(seeds: seeds).root, inputChannels: 5, outputChannels: 4, kernelSize: kernelSize,
      weight: .fanInUniform)
    let plain = Conv2d(
      ParameterStore(seeds: seeds).root, inputChannels: 5, outputChannels: 4, kernelSize: kernelSize, bias: true,
      weight: .fanInUniform)
    #expect(deformable.weight.value.isIdentical(to: plain.weight.value))
    var random = seeds.stream("x")
    let pass = Pass(mode: .evaluation)
    let x = pass.constant(Tensor(shape: [2, 5, 9, 7]) { _ in Float(random.normal()) })
    let expected = plain(x).value
    #expect(deformable(x).value.isIdentical(to: Tensor(shape: expected.shape) { expected[flat: $0] * 0.5 }))
  }
}
