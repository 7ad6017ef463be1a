import TensorFiles
import Tensors
import Testing

/// References were made with torch (float64 on float32 inputs); see `Golden/ref_ops/README.md`.
///
/// `TrainingGoldenTests` checks the schedules (`lr_*`) and the training of a network (`tiny_net_5_steps`).
@Suite("SGD agrees with float64 references")
struct OptimGoldenTests {
  @Test("parameters and velocities after every step")
  func steps() throws {
    try Golden.forEachCase("optim", "sgd_") { c in
      let rates = c.numbers("lr")
      let decays = c.numbers("weight_decay")
      for p in 0... {
        guard c.has("param_\(p)_step_0") else {
          #expect(p > 0, "\(c.name) has no parameters")
          break
        }
        let update = GradientDescent(
          rate: rates[min(p, rates.count - 1)], momentum: try c.number("momentum"),
          weightDecay: decays[min(p, decays.count - 1)], nesterov: try c.number("nesterov", default: 0) != 0)
        var parameter = try c.input("param_\(p)_step_0")
        var velocity: Tensor?
        for s in 1... {
          guard c.has("grad_\(p)_step_\(s)") else {
            #expect(s > 1, "\(c.name) has no steps")
            break
          }
          update.update(&parameter, velocity: &velocity, gradient: try c.input("grad_\(p)_step_\(s)"))
          try c.expect(parameter, "param_\(p)_step_\(s)")
          if c.has("momentum_\(p)_step_\(s)") {
            try c.expect(try #require(velocity), "momentum_\(p)_step_\(s)")
          }
        }
      }
    }
  }
}
