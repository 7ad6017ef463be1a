import Autograd
import NN

/// The six operators of a head layer, in the order of the genome (spec 3.7).
public enum HeadOperator: Int, SearchOperator {
  case depthwise3x3, depthwise5x5, deformable3x3, deformable5x5, atrous3x3, atrous5x5

  public static let published: [HeadOperator] = [
    .depthwise3x3, .depthwise5x5, .deformable3x3, .deformable5x5, .atrous3x3, .atrous5x5,
  ]

  public var kernelSize: Int {
    switch self {
    case .depthwise3x3, .deformable3x3, .atrous3x3: 3
    case .depthwise5x5, .deformable5x5, .atrous5x5: 5
    }
  }

  public var name: String {
    switch self {
    case .depthwise3x3: "DW 3x3"
    case .depthwise5x5: "DW 5x5"
    case .deformable3x3: "DF 3x3"
    case .deformable5x5: "DF 5x5"
    case .atrous3x3: "AT 3x3"
    case .atrous5x5: "AT 5x5"
    }
  }

  /// The bare operator at one place.
  func layer(_ scope: Scope, inputs: Int, outputs: Int) -> (Variable) -> Variable {
    let k = kernelSize
    switch self {
    case .depthwise3x3, .depthwise5x5:
      let spatial = Conv2d(
        scope.sub("spatial"), inputChannels: inputs, outputChannels: inputs, kernelSize: k, groups: inputs, bias: true,
        weight: .xavierNormal)
      let point = Conv2d(
        scope.sub("point"), inputChannels: inputs, outputChannels: outputs, kernelSize: 1, bias: true,
        weight: .xavierNormal)
      return { point(spatial($0)) }
    case .deformable3x3, .deformable5x5:
      let deformable = DeformableConv2d(
        scope, inputChannels: inputs, outputChannels: outputs, kernelSize: k, weight: .fanInUniform)
      return { deformable($0) }
    case .atrous3x3, .atrous5x5:
      let conv = Conv2d(
        scope, inputChannels: inputs, outputChannels: outputs, kernelSize: k, dilation: 2, bias: true,
        weight: .xavierNormal)
      return { conv($0) }
    }
  }
}

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
      let place = scope.sub("choice\(op.rawValue)")
      let layer = op.layer(place, inputs: inputs, outputs: outputs)
      let norm = normActivation(place.sub("norm"), channels: outputs, groups: normGroups, hasReLU: true)
      return { norm(layer($0)) }
    }
  }

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
