import Autograd
import Determinism
import Tensors
import Testing

/// Compares the gradient that an operation states with the slope that its values show.
///
/// The operation's result is reduced to one number by fixed random weights. Central differences in binary32 are good
/// to about the cube root of its precision, so inputs are of size 1, the step is 1/64, and the tolerance is relative
/// to the largest slope. Agreement with float64 references to a few ulp is checked elsewhere, by the golden vectors.
struct GradientCheck {
  let name: String
  let inputs: [Tensor]
  /// Which inputs to vary; all where nil.
  var varied: [Int]?
  var tolerance: Float = 1e-2
  let operation: ([Variable]) -> Variable

  func run(sourceLocation: SourceLocation = #_sourceLocation) {
    let pass = Pass(mode: .training)
    let variables = inputs.map { pass.input($0) }
    let output = operation(variables)
    let weights = GradientCheck.random(output.shape, name: "\(name)/weights")
    pass.backward(from: output, gradient: weights)
    for i in varied ?? Array(inputs.indices) {
      guard let stated = pass.takeGradient(of: variables[i]) else {
        Issue.record("\(name): no gradient reaches input \(i)", sourceLocation: sourceLocation)
        continue
      }
      let seen = slopes(input: i, weights: weights)
      let scale = max(1e-3, seen.map(abs).max() ?? 0)
      for (k, pair) in zip(stated.array, seen).enumerated() where abs(pair.0 - pair.1) > tolerance * scale {
        Issue.record(
          "\(name): input \(i) element \(k): stated \(pair.0), seen \(pair.1)", sourceLocation: sourceLocation)
        return
      }
    }
  }

  private func slopes(input: Int, weights: Tensor) -> [Float] {
    let step: Float = 1.0 / 64
    func value(_ element: Int, _ shift: Float) -> Double {
      var moved = inputs
      moved[input].withMutableElements { $0[element] += shift }
      let pass = Pass(mode: .training)
      let output = operation(moved.map { pass.input($0) }).value
      return zip(output.array, weights.array).reduce(0) { $0 + Double($1.0) * Double($1.1) }
    }
    return (0..<inputs[input].count).map { Float((value($0, step) - value($0, -step)) / Double(2 * step)) }
  }

  /// Values in ±1, at least 0.05 from zero, so that no kink lies within a step.
  static func random(_ shape: Shape, name: String) -> Tensor {
    var stream = Seeds(kind: "gradient-check", seed: 1).stream(name)
    return Tensor(shape: shape) { _ in
      let magnitude = stream.uniform(0.05, 1)
      return Float(stream.chance(0.5) ? magnitude : -magnitude)
    }
  }
}
