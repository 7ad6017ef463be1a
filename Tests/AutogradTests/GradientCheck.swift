import Autograd
import Determinism
import Tensors
import Testing

/// Compares the gradient of an operation with central differences of its values.
///
/// Fixed random weights reduce the result to one number. A central difference in binary32 is accurate to about the cube
/// root of its precision, so inputs are of magnitude 1, the step is 1/64, and the tolerance is relative to the largest
/// slope. The golden vectors check agreement with float64 references to a few ulp.
struct GradientCheck {
  let name: String
  let inputs: [Tensor]
  /// The inputs to check; nil means all.
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
      guard let gradient = pass.takeGradient(of: variables[i]) else {
        Issue.record("\(name): no gradient reaches input \(i)", sourceLocation: sourceLocation)
        continue
      }
      let slopes = slopes(input: i, weights: weights)
      let scale = max(1e-3, slopes.map(abs).max() ?? 0)
      for (k, pair) in zip(gradient.array, slopes).enumerated() where abs(pair.0 - pair.1) > tolerance * scale {
        Issue.record(
          "\(name): input \(i) element \(k): gradient \(pair.0), slope \(pair.1)", sourceLocation: sourceLocation)
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

  /// Values in ±1, at least 0.05 from zero: no step crosses the kink of a ReLU.
  static func random(_ shape: Shape, name: String) -> Tensor {
    var stream = Seeds(kind: "gradient-check", seed: 1).stream(name)
    return Tensor(shape: shape) { _ in
      let magnitude = stream.uniform(0.05, 1)
      return Float(stream.chance(0.5) ? magnitude : -magnitude)
    }
  }
}
