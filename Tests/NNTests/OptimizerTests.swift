import Autograd
import NN
import Tensors
import Testing

/// Scalar parameters `p0`, `p1`, ... with these values.
private func parameters(_ values: [Float]) -> [Parameter] {
  let store = ParameterStore(seeds: nil)
  return values.enumerated().map { i, value in
    let p = store.root.parameter("p\(i)", role: .weight, shape: [], .constant(0))
    p.value = Tensor(scalar: value)
    return p
  }
}

@Suite("SGD")
struct SGDTests {
  @Test("two steps with momentum and weight decay give the values computed by hand")
  func steps() {
    // All numbers are exact in binary32: v = g + p/4, p -= v/2; then v = v/2 + g + p/4.
    let p = parameters([4])
    let optimizer = SGD(p, momentum: 0.5) { _ in SGD.Rule(weightDecay: 0.25) }
    optimizer.step(gradients: [Tensor(scalar: 1)], rate: 0.5)
    #expect(p[0].value.item == 3)
    optimizer.step(gradients: [Tensor(scalar: 1)], rate: 0.5)
    #expect(p[0].value.item == 1.625)
  }

  @Test("a rule sets rate factor and weight decay of its parameter only")
  func rules() {
    let p = parameters([4, 4])
    let optimizer = SGD(p, momentum: 0) {
      $0.name == "p0" ? SGD.Rule(rateFactor: 0.25, weightDecay: 0) : SGD.Rule(weightDecay: 0.5)
    }
    optimizer.step(gradients: [Tensor(scalar: 1), Tensor(scalar: 1)], rate: 1)
    #expect(p.map(\.value.item) == [3.75, 1])
  }

  @Test("a parameter without a gradient keeps its value and velocity: no decay, no momentum")
  func untouched() {
    let p = parameters([4, 4])
    let optimizer = SGD(p, momentum: 0.5) { _ in SGD.Rule(weightDecay: 0.25) }
    optimizer.step(gradients: [Tensor(scalar: 1), nil], rate: 0.5)
    #expect(optimizer.state.entries.map(\.name) == ["velocity/p0"])
    optimizer.step(gradients: [nil, Tensor(scalar: 1)], rate: 0.5)
    #expect(p.map(\.value.item) == [3, 3])
    #expect(optimizer.state.entries.map(\.tensor.item) == [2, 2])
  }

  @Test("a restored optimiser continues with the same bits, even if some parameters have no velocity yet")
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

  @Test("adaptive clipping limits a gradient to a share of the parameter's norm and keeps smaller ones")
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
    // The norm of the parameter counts as that of values of at least 0.1.
    #expect(abs(moved(by: 8, from: 0) + 0.05) < 1e-7)
  }
}

@Suite("GradientWindow")
struct GradientWindowTests {
  @Test("adds the gradients of passes in their order; an unused parameter has no sum")
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

  @Test("average divides the sums by the number of passes")
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

  @Test("scale and take apply to the chosen parameters; taken sums start again from nothing")
  func selection() {
    let p = parameters([1, 1])
    var window = GradientWindow(p)
    let pass = Pass(mode: .training)
    pass.backward(from: add(affine(pass.use(p[0]), scale: 2, shift: 0), affine(pass.use(p[1]), scale: 3, shift: 0)))
    window.add(pass)
    window.scale(by: 0.5) { $0.name == "p1" }
    #expect(window.sums.map { $0?.item } == [2, 1.5])
    #expect(window.take { $0.name == "p0" }.map { $0?.item } == [2, nil])
    #expect(window.sums.map { $0?.item } == [nil, 1.5])
  }
}
