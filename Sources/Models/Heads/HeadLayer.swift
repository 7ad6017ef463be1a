import Autograd
import NN

/// One searched layer of a head: operator, group norm, ReLU, for every choice the network holds.
final class HeadLayer {
  /// Index = choice; nil where a fixed network does not hold it.
  private let choices: [((Variable) -> Variable)?]
  /// Stands in for all choices where heads are not searched.
  private let plain: ((Variable) -> Variable)?

  /// - Parameter choice: the operator of a fixed network; nil for a supernet.
  init(
    _ scope: Scope, inputs: Int, outputs: Int, normGroups: Int, operators: OperatorSet<HeadOperator> = .published,
    choice: Int?, heads: NetworkConfiguration.Heads = .searched
  ) {
    if heads == .plain {
      plain = HeadLayer.plain(scope.sub("plain"), inputs: inputs, outputs: outputs, normGroups: normGroups)
      choices = []
      return
    }
    plain = nil
    choices = operators.operators.enumerated().map { index, op in
      if let choice, choice != index { return nil }
      // By the operator, not by its place: a smaller set starts and loads like the whole one.
      let place = scope.sub(op.scopeName)
      let layer = op.makeLayer(place, inputs: inputs, outputs: outputs)
      let norm = normActivation(place.sub("norm"), channels: outputs, groups: normGroups, hasReLU: true)
      return { norm(layer($0)) }
    }
  }

  /// Of a layer that is not searched, as descriptions say it.
  static let plainName = "conv 3x3"

  /// Multiply-adds of such a layer at one position.
  static func plainMultiplyAdds(inputs: Int, outputs: Int) -> Int { 9 * inputs * outputs }

  /// A dense 3×3 convolution, group norm, ReLU.
  static func plain(_ scope: Scope, inputs: Int, outputs: Int, normGroups: Int) -> (Variable) -> Variable {
    let conv = Conv2d(
      scope, inputChannels: inputs, outputChannels: outputs, kernelSize: 3, bias: true, weight: .xavierNormal)
    let norm = normActivation(scope.sub("norm"), channels: outputs, groups: normGroups, hasReLU: true)
    return { norm(conv($0)) }
  }

  func callAsFunction(_ x: Variable, choice: Int) -> Variable {
    if let plain { return plain(x) }
    guard let layer = choices[choice] else { preconditionFailure("HeadLayer: choice \(choice) is not held") }
    return layer(x)
  }
}
