import TensorFiles
import Tensors
import Testing

/// References were made with torch (float64 on float32 inputs); see `Golden/ref_ops/README.md`.
///
/// Left out is `sigmoid_focal`, a loss that no part of the network uses.
@Suite("Losses and activations agree with float64 references")
struct LossesGoldenTests {
  @Test("cross-entropy")
  func crossEntropy() throws {
    try Golden.forEachCase("losses", "ce_") { c in
      let x = try c.input("in_x")
      let weights = c.has("in_weight") ? try c.input("in_weight") : nil
      let options = CrossEntropy.Options(
        ignoredLabel: Int32(try c.number("ignore_index", default: -100)),
        labelSmoothing: try c.number("label_smoothing", default: 0))
      let upstream = try c.input("upstream_grad")
      let labels = try c.labels()
      // No part of the network keeps losses by position.
      if c.attributes["reduction"]?.stringValue == "none" { return }
      let loss = CrossEntropy.evaluate(
        x, labels: labels, weights: weights, options: options, reduction: reduction(c))
      try expect(loss, c, upstream)
    }
  }

  @Test("binary cross-entropy of logits")
  func binaryCrossEntropy() throws {
    try Golden.forEachCase("losses", "bce_logits_") { c in
      let loss = BinaryCrossEntropy.evaluate(
        try c.input("in_x"), targets: try c.input("in_target"),
        weights: c.has("in_weight") ? try c.input("in_weight") : nil,
        positiveWeights: c.has("in_pos_weight") ? try c.input("in_pos_weight") : nil, reduction: reduction(c))
      try expect(loss, c, try c.input("upstream_grad"))
    }
  }

  @Test("smooth L1")
  func smoothL1() throws {
    try Golden.forEachCase("losses", "smooth_l1_") { c in
      let loss = SmoothL1.evaluate(
        try c.input("in_x"), targets: try c.input("in_target"), beta: try c.number("beta"), reduction: reduction(c))
      try expect(loss, c, try c.input("upstream_grad"))
    }
  }

  @Test("softmax and log-softmax")
  func softmax() throws {
    try Golden.forEachCase("losses", "softmax_") { c in
      let y = Softmax.forward(try c.input("in_x"), dimension: Int(try c.number("dim")))
      try c.expect(y, "out")
      let dx = Softmax.gradient(
        output: y, upstream: try c.input("upstream_grad"), dimension: Int(try c.number("dim")))
      try c.expect(dx, "grad_x")
    }
    try Golden.forEachCase("losses", "log_softmax_") { c in
      let y = Softmax.logarithm(try c.input("in_x"), dimension: Int(try c.number("dim")))
      try c.expect(y, "out")
      let dx = Softmax.logarithmGradient(
        output: y, upstream: try c.input("upstream_grad"), dimension: Int(try c.number("dim")))
      try c.expect(dx, "grad_x")
    }
  }

  @Test("ReLU and sigmoid")
  func activations() throws {
    let relu = try #require(Golden.file("losses")["relu"])
    let y = Elementwise.relu(try relu.input("in_x"))
    try relu.expect(y, "out")
    try relu.expect(Elementwise.reluGradient(output: y, upstream: try relu.input("upstream_grad")), "grad_x")
    let sigmoid = try #require(Golden.file("losses")["sigmoid"])
    let s = Elementwise.sigmoid(try sigmoid.input("in_x"))
    try sigmoid.expect(s, "out")
    try sigmoid.expect(Elementwise.sigmoidGradient(output: s, upstream: try sigmoid.input("upstream_grad")), "grad_x")
  }

  /// The reduction of a case; the default of torch is the mean.
  private func reduction(_ c: GoldenFile.Case) -> LossReduction {
    c.attributes["reduction"]?.stringValue == "sum" ? .sum : .mean
  }

  private func expect(_ loss: LossValue, _ c: GoldenFile.Case, _ upstream: Tensor) throws {
    try c.expect(Tensor(scalar: loss.value), "out")
    try c.expect(Elementwise.scale(loss.gradient, by: upstream.item), "grad_x")
  }
}
