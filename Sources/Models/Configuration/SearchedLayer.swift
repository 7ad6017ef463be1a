import NN
import Search

/// A layer of a network that the search chooses an operator for: one place of the genome.
///
/// Its parameters know it by `id`; rates of training, costs, descriptions, drawings and the search space all follow
/// from the list of these, which belongs to the configuration that the network is built from.
public struct SearchedLayer: Sendable, Identifiable {
  /// An operator of the layer.
  public struct Choice: Sendable {
    /// For people, such as `shuffle 3x3`.
    public let name: String
    private let cost: @Sendable (_ before: Int, _ after: Int) -> Int

    /// - Parameter multiplyAdds: see `multiplyAdds(before:after:)`.
    public init(_ name: String, multiplyAdds: @escaping @Sendable (_ before: Int, _ after: Int) -> Int) {
      self.name = name
      cost = multiplyAdds
    }

    /// Multiply-adds of convolutions and linear layers, without the norms that follow.
    /// - Parameters:
    ///   - before: positions of the input, summed over all that the layer runs on.
    ///   - after: positions of the output; the same, unless the layer halves the resolution.
    public func multiplyAdds(before: Int, after: Int) -> Int { cost(before, after) }
  }

  /// Such as `stage 1 block 3` or `mask layer 2`.
  public let id: LayerID
  public let component: SearchSpace.Component
  /// In the order of the choices that a genome says.
  public let choices: [Choice]

  public init(_ id: LayerID, _ component: SearchSpace.Component, _ choices: [Choice]) {
    self.id = id
    self.component = component
    self.choices = choices
  }
}

// The names of layers, by their places in their components: where they are listed and where they are built.
extension LayerID {
  static func backbone(stage: Int, block: Int) -> LayerID { LayerID("stage \(stage + 1) block \(block + 1)") }
  static func mask(_ index: Int) -> LayerID { LayerID("mask layer \(index + 1)") }
  static func semantic(_ index: Int) -> LayerID { LayerID("semantic layer \(index + 1)") }
  static func thingsToStuff(_ index: Int) -> LayerID { LayerID("things to S\(index + 2)") }
  static func stuffToThings(_ index: Int) -> LayerID { LayerID("stuff to P\(index + 2)") }
}

extension [SearchedLayer] {
  /// Those of a component, in order.
  public func of(_ component: SearchSpace.Component) -> [SearchedLayer] { filter { $0.component == component } }
}
