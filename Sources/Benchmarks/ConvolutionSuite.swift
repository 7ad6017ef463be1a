import Tensors

/// Convolutions at shapes of the networks: forward, gradient of the input, gradient of the weight.
func convolutionSuite(_ filter: String) -> [Benchmark] {
  struct Case {
    let name: String
    let input: Shape
    let weight: Shape
    let convolution: Convolution2D
  }
  let cases = [
    // Stem of ShuffleNetV2 on small pictures.
    Case(
      name: "stem-3×3-stride-2", input: [8, 3, 128, 128], weight: [16, 3, 3, 3],
      convolution: Convolution2D(stride: 2, padding: 1)),
    // Pyramid and heads.
    Case(
      name: "3×3", input: [2, 64, 64, 64], weight: [64, 64, 3, 3], convolution: Convolution2D(padding: 1)),
    Case(
      name: "3×3-dilated", input: [2, 64, 64, 64], weight: [64, 64, 3, 3],
      convolution: Convolution2D(padding: 2, dilation: 2)),
    Case(name: "1×1", input: [8, 64, 32, 32], weight: [64, 64, 1, 1], convolution: Convolution2D()),
    // Choice blocks of the body.
    Case(
      name: "depthwise-3×3", input: [8, 64, 32, 32], weight: [64, 1, 3, 3],
      convolution: Convolution2D(padding: 1, groups: 64)),
    Case(
      name: "depthwise-7×7-stride-2", input: [8, 64, 32, 32], weight: [64, 1, 7, 7],
      convolution: Convolution2D(stride: 2, padding: 3, groups: 64)),
    Case(
      name: "grouped-3×3", input: [4, 64, 32, 32], weight: [64, 8, 3, 3],
      convolution: Convolution2D(padding: 1, groups: 8)),
  ]
  var all: [Benchmark] = []
  for c in cases {
    let names = ["forward", "input-gradient", "weight-gradient"].map { "convolution/\(c.name)/\($0)" }
    guard names.contains(where: { matches($0, filter) }) else { continue }
    let x = Tensor(random: c.input, "convolution/x/\(c.name)")
    let w = Tensor(random: c.weight, "convolution/w/\(c.name)")
    let output = c.convolution.outputShape(input: c.input, weight: c.weight)
    let dy = Tensor(random: output, "convolution/dy/\(c.name)")
    let work = Work.operations(2 * Double(output.count) * Double(c.weight.count / c.weight[0]))
    let shape = "\(c.input) * \(c.weight)"
    let bodies: [() -> Outcome] = [
      { .tensor(c.convolution.forward(x, weight: w)) },
      { .tensor(c.convolution.inputGradient(dy, weight: w, inputShape: c.input)) },
      { .tensor(c.convolution.weightGradient(dy, x, weightShape: c.weight)) },
    ]
    for (name, body) in zip(names, bodies) where matches(name, filter) {
      all.append(Benchmark(name, shape, work, body: body))
    }
  }
  return all
}
