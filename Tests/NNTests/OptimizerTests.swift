import Autograd
import Determinism
import NN
import Tensors
import Testing

@Suite("Optimiser, gradient windows and schedules")
struct OptimizerTests {
  private func parameters(_ values: [Float]) -> [Parameter] {
    let store = ParameterStore(seeds: nil)
    return values.enumerated().map { i, value in
      let p = store.root.parameter("p\(i)", role: .weight, shape: [], .constant(0))
      p.value = Tensor(scalar: value)
      return p
    }
  }

  // All numbers are exact in binary32: v = g + p/4, p -= v/2; then v = v/2 + g + p/4.
  @Test("two steps by hand")
  func steps() {
    let p = parameters([4])
    let optimizer = SGD(p, momentum: 0.5) { _ in SGD.Rule(weightDecay: 0.25) }
    optimizer.step(gradients: [Tensor(scalar: 1)], rate: 0.5)
    #expect(p[0].value.item == 3)
    optimizer.step(gradients: [Tensor(scalar: 1)], rate: 0.5)
    #expect(p[0].value.item == 1.625)
  }

  @Test("a rule scales the rate and sets the decay of its parameter alone")
  func rules() {
    let p = parameters([4, 4])
    let optimizer = SGD(p, momentum: 0) {
      $0.name == "p0" ? SGD.Rule(rateFactor: 0.25, weightDecay: 0) : SGD.Rule(weightDecay: 0.5)
    }
    optimizer.step(gradients: [Tensor(scalar: 1), Tensor(scalar: 1)], rate: 1)
    #expect(p.map(\.value.item) == [3.75, 1])
  }

  @Test("a parameter without a gradient keeps value and velocity: no decay, no momentum")
  func untouched() {
    let p = parameters([4, 4])
    let optimizer = SGD(p, momentum: 0.5) { _ in SGD.Rule(weightDecay: 0.25) }
    optimizer.step(gradients: [Tensor(scalar: 1), nil], rate: 0.5)
    #expect(optimizer.state.entries.map(\.name) == ["velocity/p0"])
    optimizer.step(gradients: [nil, Tensor(scalar: 1)], rate: 0.5)
    #expect(p.map(\.value.item) == [3, 3])
    #expect(optimizer.state.entries.map(\.tensor.item) == [2, 2])
  }

  @Test("a restored optimiser goes on with the same bits, also where some parameters never moved")
  func restore() {
    func gradient(_ step: Int) -> [Tensor?] { [Tensor(scalar: 0.1 * Float(step)), step > 2 ? Tensor(scalar: 1) : nil] }
    func optimizer(_ p: [Parameter]) -> SGD { SGD(p, momentum: 0.9) { _ in SGD.Rule(weightDecay: 1e-4) } }
    let whole = parameters([1, 2])
    let straight = optimizer(whole)
    for step in 1...4 { straight.step(gradients: gradient(step), rate: 0.1) }
    let first = parameters([1, 2])
    let before = optimizer(first)
    for step in 1...2 { before.step(gradients: gradient(step), rate: 0.1) }
    let second = parameters(first.map(\.value.item))
    let after = optimizer(second)
    after.load(before.state)
    for step in 3...4 { after.step(gradients: gradient(step), rate: 0.1) }
    for (a, b) in zip(whole, second) { #expect(a.value.isIdentical(to: b.value)) }
  }

  @Test("a window adds the passes in their order, and leaves unused parameters without a sum")
  func window() {
    let p = parameters([1, 1])
    func pass(_ gradient: Float) -> Pass {
      let pass = Pass(mode: .training)
      pass.backward(from: affine(pass.use(p[0]), scale: gradient, shift: 0))
      return pass
    }
    // In binary32, (1 + 1e8) - 1e8 is 0; any order that begins with the large ones gives 1.
    var window = GradientWindow(p)
    for gradient: Float in [1, 1e8, -1e8] { window.add(pass(gradient)) }
    #expect(window.sums[0]?.item == 0)
    #expect(window.sums[1] == nil)
    window = GradientWindow(p)
    for gradient: Float in [1e8, -1e8, 1] { window.add(pass(gradient)) }
    #expect(window.sums[0]?.item == 1)
  }

  @Test("an average over passes divides their sum")
  func average() {
    let p = ParameterStore(seeds: nil).root.sub("a").parameter("w", role: .weight, shape: [], .constant(0))
    var window = GradientWindow([p])
    for gradient: Float in [1, 2, 6] {
      let pass = Pass(mode: .training)
      pass.backward(from: affine(pass.use(p), scale: gradient, shift: 0))
      window.add(pass)
    }
    window.average(over: 3)
    #expect(window.sums[0]?.item == 3)
  }

  @Test("clipping shortens a gradient to its share of the parameter's size, and leaves a short one alone")
  func clipping() {
    func moved(by gradient: Float, from start: Float) -> Float {
      let p = ParameterStore(seeds: nil).root.sub("a").parameter("w", role: .weight, shape: [2], .constant(0))
      p.value = Tensor(repeating: start, shape: [2])
      let optimizer = SGD([p], momentum: 0, clipping: 0.5) { _ in SGD.Rule(weightDecay: 0) }
      optimizer.step(gradients: [Tensor(repeating: gradient, shape: [2])], rate: 1)
      return p.value[flat: 0] - start
    }
    #expect(moved(by: 8, from: 4) == -2)
    #expect(moved(by: 1, from: 4) == -1)
    // Values below 0.1 count as 0.1.
    #expect(abs(moved(by: 8, from: 0) + 0.05) < 1e-7)
  }

  @Test("the linear schedule ends at zero with the last update")
  func linear() {
    let schedule = Schedule(.linear, base: 0.5, total: 300_000)
    #expect(schedule.rate(at: 0) == 0.5)
    #expect(schedule.rate(at: 150_000) == 0.25)
    #expect(schedule.rate(at: 300_000) == 0)
  }

  @Test("the step schedule of retraining: warm-up, then tenths (method 8.1)")
  func step() {
    let schedule = Schedule(.step, base: 0.02, total: 90_000, warmup: 500, milestones: [60_000, 80_000])
    let expected: [(Int, Double)] = [
      (0, 0.002), (250, 0.011), (500, 0.02), (59_999, 0.02), (60_000, 0.002), (79_999, 0.002), (80_000, 0.0002),
      (90_000, 0.0002),
    ]
    for (t, rate) in expected { #expect(abs(schedule.rate(at: t) - rate) < 1e-15, "iteration \(t)") }
  }

  @Test("batch norm moves its running statistics only when the pass is committed")
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
    // With weights of their own, three passes leave their mean and nothing of the beginning.
    for (step, shift) in [Float(0), 3, 6].enumerated() {
      let pass = Pass(mode: .recalibration)
      pass.statisticsWeight = 1 / Double(step + 1)
      _ = norm(pass.constant(Tensor([1, 3, 5, 7].map { $0 + shift }, shape: [1, 1, 2, 2])))
      pass.commitStatistics()
    }
    #expect(abs(norm.runningMean.value.item - 7) < 1e-6)
    #expect(abs(norm.runningVariance.value.item - 20 / 3) < 1e-5)
  }

  // Offsets zero and masks 1/2: every sample is half a cell's value, and halving commutes with rounding.
  @Test("a deformable layer starts as half a plain convolution, in every bit", arguments: [3, 5])
  func deformableStart(kernelSize: Int) {
    let seeds = Seeds(kind: "deformable-start", seed: 1)
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
