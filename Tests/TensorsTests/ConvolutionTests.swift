import Testing

@testable import Tensors

struct ConvolutionCase: CustomTestStringConvertible, Sendable {
  var x: [Int]
  var w: [Int]
  var stride = 1
  var padding = 0
  var dilation = 1
  var groups = 1

  var layer: Convolution2D { Convolution2D(stride: stride, padding: padding, dilation: dilation, groups: groups) }
  var testDescription: String {
    "x \(x), w \(w), stride \(stride), padding \(padding), dilation \(dilation), groups \(groups)"
  }

  static let dense: [ConvolutionCase] = [
    .init(x: [2, 3, 9, 7], w: [5, 3, 3, 3], padding: 1),
    .init(x: [1, 1, 1, 1], w: [1, 1, 1, 1]),
    .init(x: [3, 16, 32, 32], w: [16, 16, 1, 1]),
    .init(x: [2, 3, 33, 29], w: [16, 3, 3, 3], stride: 2, padding: 1),
    .init(x: [2, 3, 64, 64], w: [8, 3, 7, 7], stride: 2, padding: 3),
    .init(x: [4, 32, 8, 8], w: [34, 32, 3, 3], padding: 1),
    .init(x: [9, 40, 4, 4], w: [24, 40, 3, 3], padding: 2, dilation: 2),
    .init(x: [5, 24, 7, 7], w: [13, 24, 5, 5], padding: 4, dilation: 2),
    .init(x: [33, 20, 2, 2], w: [40, 20, 3, 3], padding: 1),
    .init(x: [2, 12, 14, 14], w: [18, 4, 3, 3], stride: 2, padding: 1, groups: 3),
    .init(x: [2, 8, 11, 13], w: [6, 8, 1, 1], stride: 2),
    .init(x: [2, 6, 10, 10], w: [4, 6, 2, 2], stride: 3),
    .init(x: [1, 5, 12, 9], w: [7, 5, 4, 2], stride: 2, padding: 3),
    .init(x: [1, 70, 50, 47], w: [20, 70, 3, 3], padding: 1),
    .init(x: [2, 600, 5, 5], w: [9, 600, 1, 1]),
  ]

  static let depthwise: [ConvolutionCase] =
    [3, 5, 7, 2].flatMap { k in
      [1, 2].flatMap { stride in
        [(2, 1), (2, 4), (16, 8), (5, 33), (19, 32)].map { channels, size in
          ConvolutionCase(
            x: [3, channels, size, max(1, size - 1)], w: [channels, 1, k, k], stride: stride, padding: k / 2,
            groups: channels)
        }
      }
    } + [
      .init(x: [2, 17, 12, 12], w: [17, 1, 3, 3], padding: 2, dilation: 2, groups: 17),
      .init(x: [7, 18, 25, 25], w: [18, 1, 3, 3], padding: 1, groups: 18),
      .init(x: [2, 4, 9, 9], w: [4, 1, 3, 3], stride: 3, padding: 1, groups: 4),
    ]
}

@Suite("Convolution2D and TransposedConvolution2x2")
struct ConvolutionTests {
  @Test(
    "forward and both gradients have the bits of the six-loop definition",
    arguments: ConvolutionCase.dense + ConvolutionCase.depthwise)
  func matchesDefinition(_ c: ConvolutionCase) {
    let x = ProductReference.values(Shape(c.x), "x")
    let w = ProductReference.values(Shape(c.w), "w")
    let bias = ProductReference.values([c.w[0]], "bias")
    let y = c.layer.forward(x, weight: w, bias: bias)
    #expect(y.isIdentical(to: ProductReference.forward(c.layer, x, w, bias: bias)))
    #expect(c.layer.forward(x, weight: w).isIdentical(to: ProductReference.forward(c.layer, x, w, bias: nil)))
    let dy = ProductReference.values(y.shape, "dy")
    #expect(
      c.layer.inputGradient(dy, weight: w, inputShape: x.shape)
        .isIdentical(to: ProductReference.inputGradient(c.layer, dy, w, x.shape)))
    #expect(
      c.layer.weightGradient(dy, x, weightShape: w.shape)
        .isIdentical(to: ProductReference.weightGradient(c.layer, dy, x, w.shape)))
  }

  @Test("forward and both gradients belong to one bilinear form", arguments: ConvolutionCase.dense)
  func gradientsAreAdjoint(_ c: ConvolutionCase) {
    let x = ProductReference.values(Shape(c.x), "x", extreme: false)
    let w = ProductReference.values(Shape(c.w), "w", extreme: false)
    let y = c.layer.forward(x, weight: w)
    let dy = ProductReference.values(y.shape, "dy", extreme: false)
    // The form is linear in x and in w, so its finite differences are exact: <dy, y> = <dx, x> = <dw, w>.
    let value = inner(dy, y)
    let scale = zip(dy.array, y.array).reduce(1.0) { $0 + abs(Double($1.0) * Double($1.1)) }
    #expect(abs(inner(c.layer.inputGradient(dy, weight: w, inputShape: x.shape), x) - value) < 1e-5 * scale)
    #expect(abs(inner(c.layer.weightGradient(dy, x, weightShape: w.shape), w) - value) < 1e-5 * scale)
  }

  @Test("an empty batch gives empty results and zero gradients", arguments: [1, 4])
  func emptyBatch(groups: Int) {
    let layer = Convolution2D(padding: 1, groups: groups)
    let w = ProductReference.values([4, 4 / groups, 3, 3], "w")
    let x = Tensor(zeros: [0, 4, 5, 5])
    let y = layer.forward(x, weight: w, bias: Tensor(zeros: [4]))
    #expect(y.shape == [0, 4, 5, 5])
    #expect(layer.inputGradient(y, weight: w, inputShape: x.shape).shape == x.shape)
    #expect(layer.weightGradient(y, x, weightShape: w.shape).isIdentical(to: Tensor(zeros: w.shape)))
    #expect(layer.biasGradient(y).isIdentical(to: Tensor(zeros: [4])))
  }

  @Test("an input smaller than the kernel has no output")
  func smallInput() {
    let layer = Convolution2D()
    let (x, w) = (Tensor(repeating: 1, shape: [1, 2, 2, 2]), Tensor(repeating: 1, shape: [3, 2, 3, 3]))
    let y = layer.forward(x, weight: w)
    #expect(y.shape == [1, 3, 0, 0])
    #expect(layer.inputGradient(y, weight: w, inputShape: x.shape).isIdentical(to: Tensor(zeros: x.shape)))
  }

  @Test("the bias gradient adds each plane in 16 lanes and blocks of 2048", arguments: [1, 15, 16, 2048, 5000])
  func biasGradient(plane: Int) {
    let dy = ProductReference.values([3, 2, 1, plane], "dy")
    let expected = (0..<2).map { c -> Float in
      var sum = 0.0
      for n in 0..<3 {
        var planeSum = 0.0
        for first in stride(from: 0, to: plane, by: 2048) {
          var lanes = [Double](repeating: 0, count: 16)
          for i in first..<min(plane, first + 2048) { lanes[i % 16] += Double(dy[flat: (n * 2 + c) * plane + i]) }
          for width in [8, 4, 2, 1] { for j in 0..<width { lanes[j] += lanes[j + width] } }
          planeSum += lanes[0]
        }
        sum += planeSum
      }
      return Float(sum) + 0
    }
    #expect(Convolution2D().biasGradient(dy).array == expected)
  }

  @Test("a transposed convolution is the input gradient of a convolution, bit for bit", arguments: [1, 3, 14])
  func transposed(size: Int) {
    let x = ProductReference.values([2, 12, size, size], "x")
    let w = ProductReference.values([12, 5, 2, 2], "w")
    let bias = ProductReference.values([5], "bias")
    let layer = Convolution2D(stride: 2)
    let y = TransposedConvolution2x2.forward(x, weight: w, bias: bias)
    #expect(y.isIdentical(to: ProductReference.inputGradient(layer, x, w, [2, 5, 2 * size, 2 * size], bias: bias)))
    let dy = ProductReference.values(y.shape, "dy")
    #expect(
      TransposedConvolution2x2.inputGradient(dy, weight: w)
        .isIdentical(to: ProductReference.forward(layer, dy, w, bias: nil)))
    #expect(
      TransposedConvolution2x2.weightGradient(dy, x, weightShape: w.shape)
        .isIdentical(to: ProductReference.weightGradient(layer, x, dy, w.shape)))
    let none = Tensor(zeros: [0, 12, size, size])
    #expect(TransposedConvolution2x2.forward(none, weight: w, bias: bias).shape == [0, 5, 2 * size, 2 * size])
  }
}
