import Autograd
import NN

/// Inter-modular attention (method 4.2): from a squeezed vector of one module, a weight for every channel of another.
///
/// a = 1 - sigmoid(W₁ · ReLU(W₂ z + b₂) + b₁); then X ← X + a ⊙ X.
final class AttentionLayer {
  /// Index = choice of the reduction ratio; nil where a fixed network does not hold it.
  private let choices: [(hidden: Linear, output: Linear)?]
  private let activations: AttentionConfiguration.Activations

  /// - Parameter choice: the ratio of a fixed network; nil for a supernet.
  init(
    _ scope: Scope, inputs: Int, outputs: Int, ratios: [Int],
    activations: AttentionConfiguration.Activations = .recommended, choice: Int?
  ) {
    self.activations = activations
    choices = ratios.enumerated().map { index, ratio in
      if let choice, choice != index { return nil }
      let place = scope.sub("choice\(index)")
      let hidden = AttentionLayer.hidden(outputs: outputs, ratio: ratio)
      func linear(_ name: String, _ i: Int, _ o: Int) -> Linear {
        Linear(
          place.sub(name), inputs: i, outputs: o, bias: true, weight: .fanInUniform,
          biasInitializer: .uniform(bound: (1 / Double(i)).squareRoot()))
      }
      return (linear("hidden", inputs, hidden), linear("output", hidden, outputs))
    }
  }

  /// Channels between the two linear layers.
  private static func hidden(outputs: Int, ratio: Int) -> Int { max(1, outputs / ratio) }

  /// Multiply-adds of both linear layers for one image.
  static func multiplyAdds(inputs: Int, outputs: Int, ratio: Int) -> Int {
    (inputs + outputs) * hidden(outputs: outputs, ratio: ratio)
  }

  /// `1 + a`, the factor of every channel: `[N, outputs]`.
  ///
  /// - Parameter z: the squeezed source `[N, inputs]`.
  func callAsFunction(_ z: Variable, choice: Int) -> Variable {
    guard let layer = choices[choice] else { preconditionFailure("AttentionLayer: choice \(choice) is not held") }
    if activations == .reluOutside {
      let inner = affine(sigmoid(layer.hidden(z)), scale: -1, shift: 1)
      return affine(relu(layer.output(inner)), scale: 1, shift: 1)
    }
    // 1 + (1 - s) as 2 - s: one rounding instead of two.
    return affine(sigmoid(layer.output(relu(layer.hidden(z)))), scale: -1, shift: 2)
  }
}
