import Autograd
import NN

/// An operator of the layers of the mask and semantic heads: a map `[N, I, H, W]` to `[N, O, H, W]`.
///
/// ```swift
/// extension HeadOperator {
///   static let pointwise = HeadOperator("PW 1x1", number: 6) { $0 * $1 } makeLayer: { scope, inputs, outputs in
///     let conv = Conv2d(scope, inputChannels: inputs, outputChannels: outputs, kernelSize: 1, bias: true, weight: .xavierNormal)
///     return { conv($0) }
///   }
/// }
/// ```
public struct HeadOperator: SearchOperator {
  /// The bare operator: the group norm and the ReLU that follow it are the head layer's.
  public typealias Layer = (Variable) -> Variable

  public let name: String
  public let number: Int
  private let cost: @Sendable (_ inputs: Int, _ outputs: Int) -> Int
  private let make: @Sendable (_ scope: Scope, _ inputs: Int, _ outputs: Int) -> Layer

  /// - Parameters:
  ///   - number: see `SearchOperator.number`; those of the paper are 0 to 5.
  ///   - multiplyAdds: see `multiplyAdds(inputs:outputs:)`.
  ///   - makeLayer: makes parameters in the scope, and the function that uses them. It may get no regions: `N` may be 0.
  public init(
    _ name: String, number: Int, multiplyAdds: @escaping @Sendable (_ inputs: Int, _ outputs: Int) -> Int,
    makeLayer: @escaping @Sendable (_ scope: Scope, _ inputs: Int, _ outputs: Int) -> Layer
  ) {
    self.name = name
    self.number = number
    cost = multiplyAdds
    make = makeLayer
  }

  /// The operator at one place of a network.
  public func makeLayer(_ scope: Scope, inputs: Int, outputs: Int) -> Layer { make(scope, inputs, outputs) }

  /// Multiply-adds of convolutions at one position; what samples or interpolates is left out, as published.
  public func multiplyAdds(inputs: Int, outputs: Int) -> Int { cost(inputs, outputs) }

  /// Of method 3.7, in the order of the genome.
  public static let published: [HeadOperator] = [
    .depthwise3x3, .depthwise5x5, .deformable3x3, .deformable5x5, .atrous3x3, .atrous5x5,
  ]

  public static func all(in catalog: NetworkCatalog) -> [HeadOperator] { catalog.heads }
}
