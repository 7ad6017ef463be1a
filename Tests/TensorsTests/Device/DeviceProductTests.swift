import Testing

@testable import Tensors

@Suite("A device has the bits of the processor: products and convolutions", .needsDevice)
struct DeviceProductTests {
  @Test(
    "matrix products with either factor transposed, with and without bias",
    arguments: [(1, 1, 1), (7, 3, 5), (33, 64, 67), (130, 70, 129), (64, 300, 65)])
  func products(_ size: (m: Int, k: Int, n: Int)) {
    let (m, k, n) = size
    for (transposeA, transposeB) in [(false, false), (true, false), (false, true), (true, true)] {
      expectDeviceParity("product \(size)") {
        let a = ProductReference.values(transposeA ? [k, m] : [m, k], "a")
        let b = ProductReference.values(transposeB ? [n, k] : [k, n], "b")
        let bias = ProductReference.values([n], "bias")
        return [
          MatrixProduct.multiply(a, transposeA: transposeA, b, transposeB: transposeB),
          MatrixProduct.multiply(a, transposeA: transposeA, b, transposeB: transposeB, columnBias: bias),
        ]
      }
    }
  }

  @Test("linear layers and their gradients, in rows beyond a chunk", arguments: [5, 2048, 4100])
  func linear(_ rows: Int) {
    expectDeviceParity("linear layer of \(rows) rows") {
      let x = ProductReference.values([rows, 13], "x")
      let w = ProductReference.values([9, 13], "w")
      let dy = ProductReference.values([rows, 9], "dy")
      return [
        LinearMap.forward(x, weight: w, bias: ProductReference.values([9], "b")),
        LinearMap.inputGradient(dy, weight: w), LinearMap.weightGradient(dy, x), LinearMap.biasGradient(dy),
      ]
    }
  }

  @Test("convolutions and their gradients", arguments: ConvolutionCase.dense)
  func convolutions(_ c: ConvolutionCase) {
    expectDeviceParity("\(c.testDescription)") {
      let x = ProductReference.values(Shape(c.x), "x")
      let w = ProductReference.values(Shape(c.w), "w")
      let bias = ProductReference.values([c.w[0]], "bias")
      let y = c.layer.forward(x, weight: w, bias: bias)
      let dy = ProductReference.values(y.shape, "dy")
      return [
        y, c.layer.forward(x, weight: w), c.layer.inputGradient(dy, weight: w, inputShape: x.shape),
        c.layer.weightGradient(dy, x, weightShape: w.shape), c.layer.biasGradient(dy),
      ]
    }
  }

  @Test("transposed convolutions and their gradients")
  func transposed() {
    expectDeviceParity("transposed convolution") {
      let x = ProductReference.values([2, 17, 9, 6], "x")
      let w = ProductReference.values([17, 6, 2, 2], "w")
      let y = TransposedConvolution2x2.forward(x, weight: w, bias: ProductReference.values([6], "bias"))
      let dy = ProductReference.values(y.shape, "dy")
      return [
        y, TransposedConvolution2x2.inputGradient(dy, weight: w),
        TransposedConvolution2x2.weightGradient(dy, x, weightShape: w.shape),
      ]
    }
  }
}
