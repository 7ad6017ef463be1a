import Autograd
import TensorFiles
import Tensors
import Testing

/// References were made with torch (float64 on float32 inputs); see `Golden/ref_ops/README.md`.
///
/// Left out is `k3x5_s2x1_p1x2`: no layer of the network has different strides or padding for its axes.
@Suite("Convolutions and linear layers agree with float64 references, forwards and backwards")
struct ConvolutionGoldenTests {
  @Test("dense, grouped, depthwise, strided and dilated convolutions", arguments: ["k1", "k3_", "k5", "k7", "dw"])
  func convolutions(_ prefix: String) throws {
    try Golden.forEachCase("conv2d", prefix) { c in
      let geometry = Convolution2D(
        stride: try c.integer("stride"), padding: try c.integer("padding"), dilation: try c.integer("dilation"),
        groups: try c.integer("groups"))
      let differentiated = try c.differentiated("x", "weight", "bias") { v in
        convolution(v["x"]!, weight: v["weight"]!, bias: v["bias"], geometry)
      }
      try differentiated.check()
    }
  }

  @Test("linear layers")
  func linearLayers() throws {
    try Golden.forEachCase("conv2d", "linear") { c in
      try c.differentiated("x", "weight", "bias") { linear($0["x"]!, weight: $0["weight"]!, bias: $0["bias"]) }.check()
    }
  }

  @Test("the transposed convolution of the mask predictor")
  func transposed() throws {
    try Golden.forEachCase("conv2d", "transpose_k2_s2") { c in
      try c.differentiated("x", "weight", "bias") {
        transposedConvolution2x2($0["x"]!, weight: $0["weight"]!, bias: $0["bias"]!)
      }.check()
    }
  }

  // Consider the convolution from output to input. Its value is the gradient of the transposed convolution, and its
  // gradients are the value and the weight gradient of the transposed convolution.
  @Test("transposed convolutions of other kernels, as gradients of convolutions")
  func transposedByConvolution() throws {
    try Golden.forEachCase("conv2d", "transpose_") { c in
      let geometry = Convolution2D(stride: try c.integer("stride"), padding: try c.integer("padding"))
      let pass = Pass(mode: .training)
      let upstream = pass.input(try c.input("upstream_grad"))
      let weight = pass.input(try c.input("in_weight"))
      let dx = convolution(upstream, weight: weight, bias: nil, geometry)
      try c.expect(dx.value, "grad_x")
      pass.backward(from: dx, gradient: try c.input("in_x"))
      let y = try #require(pass.takeGradient(of: upstream))
      try c.expect(addingToChannels(try c.input("in_bias"), y), "out")
      try c.expect(try #require(pass.takeGradient(of: weight)), "grad_weight")
    }
  }

  private func addingToChannels(_ bias: Tensor, _ y: Tensor) -> Tensor {
    let plane = y.shape[2] * y.shape[3]
    return Tensor(shape: y.shape) { y[flat: $0] + bias[flat: $0 / plane % bias.count] }
  }
}

/// References were made with torchvision (float64 on float32 inputs). Cases `v1` have no mask: a mask of ones.
@Suite("Deformable convolution agrees with float64 references, forwards and backwards")
struct DeformableGoldenTests {
  @Test("with and without mask, strided, dilated and grouped", arguments: ["v1_", "v2_"])
  func deformable(_ prefix: String) throws {
    try Golden.forEachCase("deform_conv", prefix) { c in
      let operation = DeformableConvolution(
        stride: try c.integer("stride"), padding: try c.integer("padding"), dilation: try c.integer("dilation"),
        groups: try c.integer("groups"), offsetGroups: try c.integer("offset_groups"))
      let offsets = try c.input("in_offset").shape
      let ones = Tensor(repeating: 1, shape: offsets.replacing(1, with: offsets[1] / 2))
      try c.differentiated("x", "offset", "mask", "weight", "bias") { v in
        let mask = v["mask"] ?? v["x"]!.pass.constant(ones)
        return deformableConvolution(
          v["x"]!, offsets: v["offset"]!, mask: mask, weight: v["weight"]!, bias: v["bias"]!, operation)
      }.check()
    }
  }
}
