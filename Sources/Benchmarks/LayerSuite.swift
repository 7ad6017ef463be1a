import Determinism
import Tensors

/// Operations of the heads and norms compared with torch and torchvision, forward and backward.
func layerSuite() -> [Case] {
  deformable(kernel: 3) + deformable(kernel: 5) + batchNormalization() + groupNormalization() + regionAlignment()
}

private func against(_ name: String, _ request: [String: CanonicalValue]) -> [Baseline] {
  [Baseline(name: "torch", kind: .script(Script.torch, .object(request)), row: TargetRow(name: name, target: 1.5))]
}

/// The head operators DF 3×3 and DF 5×5 (modulated), 256→128 channels at 64×64, offsets of up to one cell.
private func deformable(kernel k: Int) -> [Case] {
  let input: Shape = [1, 256, 64, 64]
  let weight: Shape = [128, 256, k, k]
  let convolution = DeformableConvolution(padding: k / 2)
  let operations = 2.0 * 64 * 64 * Double(weight.count)
  return ["forward", "backward"].map { part in
    let name = "deformable \(k)×\(k)/\(part)"
    let request: [String: CanonicalValue] = [
      "kind": "deformable", "part": .string(part), "input": Script.value(input), "weight": Script.value(weight),
      "padding": .integer(k / 2),
    ]
    return Case(
      name, "\(input) * \(weight)", .operations(part == "forward" ? operations : 2 * operations),
      against: against(name, request)
    ) {
      let x = Tensor(random: input, "deformable/x")
      let w = Tensor(random: weight, "deformable/w")
      let offset = Tensor(random: [1, 2 * k * k, 64, 64], "deformable/offset")
      let mask = Elementwise.sigmoid(Tensor(random: [1, k * k, 64, 64], "deformable/mask"))
      if part == "forward" { return Run { .tensor(convolution.forward(x, offset: offset, mask: mask, weight: w)) } }
      let dy = Tensor(random: [1, 128, 64, 64], "deformable/dy")
      return Run {
        let g = convolution.gradients(dy, x, offset: offset, mask: mask, weight: w)
        return .tensors([g.x, g.offset, g.mask!, g.weight])
      }
    }
  }
}

/// BN + ReLU of the backbone's second stage, 8 images of 224×224, in training mode.
private func batchNormalization() -> [Case] {
  let shape: Shape = [8, 120, 28, 28]
  return ["forward", "backward"].map { part in
    let name = "BN + ReLU/\(part)"
    // Forward: x twice, for the moments and for the output, and the output. Backward: x, dy and the output twice, dx.
    let work = Work.bytes(4 * Double(shape.count) * (part == "forward" ? 3 : 7))
    let request: [String: CanonicalValue] = [
      "kind": "batch norm", "part": .string(part), "input": Script.value(shape),
    ]
    return Case(name, "\(shape)", work, against: against(name, request)) {
      let x = Tensor(random: shape, "norm/x")
      let weight = Tensor(random: [shape[1]], "norm/weight")
      let bias = Tensor(random: [shape[1]], "norm/bias")
      func forward() -> (output: Tensor, statistics: NormalizationStatistics) {
        let result = BatchNormalization.train(x, weight: weight, bias: bias, relu: true)
        return (result.output, result.statistics)
      }
      if part == "forward" { return Run { .tensor(forward().output) } }
      let dy = Tensor(random: shape, "norm/dy")
      let statistics = forward().statistics
      return Run {
        let g = BatchNormalization.trainGradient(
          x, upstream: dy, weight: weight, bias: bias, statistics: statistics, relu: true)
        return .tensors([g.input, g.weight, g.bias])
      }
    }
  }
}

/// GN with 32 groups of the pyramid's finest level, an image of 512×512.
private func groupNormalization() -> [Case] {
  let shape: Shape = [1, 256, 128, 128]
  return ["forward", "backward"].map { part in
    let name = "GN/\(part)"
    let work = Work.bytes(4 * Double(shape.count) * (part == "forward" ? 3 : 5))
    let request: [String: CanonicalValue] = [
      "kind": "group norm", "part": .string(part), "input": Script.value(shape), "groups": 32,
    ]
    return Case(name, "\(shape)", work, against: against(name, request)) {
      let x = Tensor(random: shape, "norm/x")
      let weight = Tensor(random: [shape[1]], "norm/weight")
      let bias = Tensor(random: [shape[1]], "norm/bias")
      func forward() -> (output: Tensor, statistics: NormalizationStatistics) {
        GroupNormalization.forward(x, groups: 32, weight: weight, bias: bias)
      }
      if part == "forward" { return Run { .tensor(forward().output) } }
      let dy = Tensor(random: shape, "norm/dy")
      let statistics = forward().statistics
      return Run {
        let g = GroupNormalization.gradient(
          x, groups: 32, upstream: dy, weight: weight, bias: bias, statistics: statistics)
        return .tensors([g.input, g.weight, g.bias])
      }
    }
  }
}

/// 512 regions of the box head on the finest level, 7×7 bins of 2×2 samples.
private func regionAlignment() -> [Case] {
  let shape: Shape = [1, 256, 128, 128]
  // From 8 to 112 pixels wide, the sizes that are assigned to this level, all over the image.
  let rows = (0..<512).flatMap { i -> [Float] in
    let (x, y) = (Float(i * 37 % 400), Float(i * 91 % 400))
    return [0, x, y, x + Float(8 + i * 13 % 104), y + Float(8 + i * 29 % 104)]
  }
  let options = RoIAlignment.Options(outputHeight: 7, outputWidth: 7, spatialScale: 0.25)
  return ["forward", "backward"].map { part in
    let name = "RoIAlign/\(part)"
    let request: [String: CanonicalValue] = [
      "kind": "roi align", "part": .string(part), "input": Script.value(shape), "size": 7,
      "scale": 0.25, "regions": .array(rows.map { .number(Double($0)) }),
    ]
    let outputs = 512 * 256 * 49.0
    return Case(name, "512 of \(shape)", .operations(outputs * 32), against: against(name, request)) {
      let rois = Tensor(rows, shape: [512, 5])
      if part == "forward" {
        let x = Tensor(random: shape, "align/x")
        return Run { .tensor(RoIAlignment.forward(x, rois: rois, options)) }
      }
      let dy = Tensor(random: [512, 256, 7, 7], "align/dy")
      return Run { .tensor(RoIAlignment.gradient(upstream: dy, features: shape, rois: rois, options)) }
    }
  }
}
