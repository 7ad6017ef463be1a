import TensorFiles
import Tensors
import Testing

/// References were made with torch (float64 on float32 inputs); see `Golden/ref_ops/README.md`.
@Suite("Normalisation agrees with float64 references")
struct NormGoldenTests {
  @Test("batch normalisation in training")
  func train() throws {
    try Golden.forEachCase("norm", "bn_train") { c in
      let x = try c.input("in_x")
      let weight = try c.input("in_weight")
      var mean = try c.input("in_running_mean")
      var variance = try c.input("in_running_var")
      let options = BatchNormalization.Options(epsilon: try c.number("eps"))
      let (y, statistics, batch) = BatchNormalization.train(
        x, weight: weight, bias: try c.input("in_bias"), options: options)
      batch.move(&mean, &variance, momentum: try c.number("momentum"))
      try c.expect(y, "out_0")
      try c.expect(mean, "out_1")
      try c.expect(variance, "out_2")
      let g = BatchNormalization.trainGradient(
        x, upstream: try c.input("upstream_grad"), weight: weight, bias: try c.input("in_bias"),
        statistics: statistics, options: options)
      try expect(g, c)
    }
  }

  @Test("batch normalisation by running statistics")
  func evaluate() throws {
    try Golden.forEachCase("norm", "bn_eval") { c in
      let x = try c.input("in_x")
      let weight = try c.input("in_weight")
      let (y, statistics) = BatchNormalization.evaluate(
        x, weight: weight, bias: try c.input("in_bias"), runningMean: try c.input("in_running_mean"),
        runningVariance: try c.input("in_running_var"), epsilon: try c.number("eps"))
      try c.expect(y, "out")
      let g = BatchNormalization.evaluateGradient(
        x, upstream: try c.input("upstream_grad"), weight: weight, bias: try c.input("in_bias"),
        statistics: statistics)
      try expect(g, c)
    }
  }

  // One process has the whole batch, over which synchronised normalisation of two workers is computed.
  @Test("synchronised batch normalisation, as batch normalisation of the joined batch")
  func synchronised() throws {
    try Golden.forEachCase("norm", "sync_bn") { c in
      let x = try c.input("in_x")
      let weight = try c.input("in_weight")
      let options = BatchNormalization.Options(epsilon: try c.number("eps"))
      let (y, statistics, _) = BatchNormalization.train(
        x, weight: weight, bias: try c.input("in_bias"), options: options)
      try c.expect(y, "out")
      let g = BatchNormalization.trainGradient(
        x, upstream: try c.input("upstream_grad"), weight: weight, bias: try c.input("in_bias"),
        statistics: statistics, options: options)
      try expect(g, c)
    }
  }

  @Test("group normalisation")
  func group() throws {
    try Golden.forEachCase("norm", "gn_") { c in
      let x = try c.input("in_x")
      let weight = try c.input("in_weight")
      let groups = Int(try c.number("groups"))
      let (y, statistics) = GroupNormalization.forward(
        x, groups: groups, weight: weight, bias: try c.input("in_bias"), epsilon: try c.number("eps"))
      try c.expect(y, "out")
      let g = GroupNormalization.gradient(
        x, groups: groups, upstream: try c.input("upstream_grad"), weight: weight, bias: try c.input("in_bias"),
        statistics: statistics)
      try expect(g, c)
    }
  }

  private func expect(_ g: NormalizationGradients, _ c: GoldenFile.Case) throws {
    try c.expect(g.input, "grad_x")
    try c.expect(g.weight, "grad_weight")
    try c.expect(g.bias, "grad_bias")
  }
}
