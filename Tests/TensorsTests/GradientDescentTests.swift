import Testing

@testable import Tensors

@Suite("GradientDescent")
struct GradientDescentTests {
  @Test(
    "an update adds weight decay, momentum and Nesterov in the documented order, bit for bit", arguments: [false, true])
  func sgd(_ nesterov: Bool) {
    let update = GradientDescent(rate: 0.1, momentum: 0.9, weightDecay: 1e-2, nesterov: nesterov)
    let start = Tensor(ordinaryValues(40_000, salt: 1), shape: [40_000])
    var (p, v) = (start, Tensor?.none)
    var (pp, vv) = (start.array, [Float]())
    for step in 0..<3 {
      let g = Tensor(ordinaryValues(40_000, salt: 2 + step), shape: [40_000])
      update.update(&p, velocity: &v, gradient: g)
      for i in pp.indices {
        let d = g[flat: i] + 1e-2 * pp[i]
        if step == 0 { vv.append(d) } else { vv[i] = 0.9 * vv[i] + d }
        pp[i] -= 0.1 * (nesterov ? d + 0.9 * vv[i] : vv[i])
      }
      #expect(p.array == pp)
      #expect(v?.array == vv)
    }
    #expect(start.array == ordinaryValues(40_000, salt: 1), "an update must not write into a copy of the parameter")
  }
}
