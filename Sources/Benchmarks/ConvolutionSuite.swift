import Determinism
import Tensors

/// A convolution to be run by both sides.
struct ConvolutionCase {
  let name: String
  let input: Shape
  let weight: Shape
  let convolution: Convolution2D

  var output: Shape { convolution.outputShape(input: input, weight: weight) }

  func request(_ part: String) -> CanonicalValue {
    [
      "kind": "convolution", "part": .string(part), "input": Script.value(input), "weight": Script.value(weight),
      "stride": .integer(convolution.stride), "padding": .integer(convolution.padding),
      "dilation": .integer(convolution.dilation), "groups": .integer(convolution.groups),
    ]
  }

  /// Forward, and the gradients of input and weight together.
  func cases(target: Double, _ work: (_ part: String) -> Work) -> [Case] {
    ["forward", "backward"].map { part in
      let name = "convolution/\(name)/\(part)"
      let baseline = Baseline(
        name: "torch", kind: .script(Script.torch, request(part)), row: TargetRow(name: name, target: target))
      return Case(name, "\(input) * \(weight)", work(part), against: [baseline]) {
        let x = Tensor(random: input, "convolution/x")
        let w = Tensor(random: weight, "convolution/w")
        if part == "forward" { return Run { .tensor(convolution.forward(x, weight: w)) } }
        let dy = Tensor(random: output, "convolution/dy")
        return Run {
          .tensors([
            convolution.inputGradient(dy, weight: w, inputShape: input),
            convolution.weightGradient(dy, x, weightShape: weight),
          ])
        }
      }
    }
  }
}

/// Dense convolutions of the pyramid and the heads.
func convolutionSuite() -> [Case] {
  let cases = [
    ConvolutionCase(
      name: "3×3", input: [1, 256, 64, 64], weight: [256, 256, 3, 3], convolution: Convolution2D(padding: 1)),
    ConvolutionCase(
      name: "5×5", input: [1, 256, 64, 64], weight: [128, 256, 5, 5], convolution: Convolution2D(padding: 2)),
    ConvolutionCase(
      name: "dilated 3×3", input: [1, 256, 64, 64], weight: [128, 256, 3, 3],
      convolution: Convolution2D(padding: 2, dilation: 2)),
    ConvolutionCase(
      name: "dilated 5×5", input: [1, 256, 64, 64], weight: [128, 256, 5, 5],
      convolution: Convolution2D(padding: 4, dilation: 2)),
  ]
  return cases.flatMap { c in
    c.cases(target: 0.95) { part in
      .operations(2 * Double(c.output.count) * Double(c.weight.count / c.weight[0]) * (part == "forward" ? 1 : 2))
    }
  }
}

/// Depthwise convolutions of choice blocks, with the shapes of the backbone at a batch of 8 images of 224×224.
func depthwiseSuite() -> [Case] {
  var all: [Case] = []
  for k in [3, 5, 7] {
    for stride in [1, 2] {
      let c = ConvolutionCase(
        name: "depthwise \(k)×\(k) stride \(stride)", input: [8, 120, 56, 56], weight: [120, 1, k, k],
        convolution: Convolution2D(stride: stride, padding: k / 2, groups: 120))
      // Forward reads x and writes y; backward reads x and dy and writes dx.
      let (x, y) = (Double(c.input.count) * 4, Double(c.output.count) * 4)
      all += c.cases(target: 1.5) { part in .bytes(part == "forward" ? x + y : 2 * x + y) }
    }
  }
  return all
}
