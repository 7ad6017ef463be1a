import NN

/// The stem, a block or a layer of a network at its place, for one image.
public struct NetworkPart: Sendable {
  /// Such as `stage 1 block 3`.
  public var name: String
  /// Such as `bottleneck /2`.
  public var operation: String
  /// Where its parameters are.
  public var parameters: Parameters
  /// Channels and positions of its output, such as `96 × 200 × 272`; a head that runs on regions says how many.
  public var output: String
  /// Of convolutions and linear layers; biases, normalisations, pooling and resampling are left out, as published.
  public var multiplyAdds: Int

  /// How the parameters of a part are found in a network.
  public enum Parameters: Sendable {
    /// Those of a layer.
    case of(LayerID)
    /// Those whose names begin so, such as `body/stem/`.
    case below(String)

    /// - Precondition: the network has the part.
    func count(in store: ParameterStore) -> Int {
      switch self {
      case .of(let layer): store.count(of: layer)
      case .below(let prefix): store.count(below: prefix)
      }
    }
  }

  public init(name: String, operation: String, parameters: Parameters, output: String, multiplyAdds: Int) {
    self.name = name
    self.operation = operation
    self.parameters = parameters
    self.output = output
    self.multiplyAdds = multiplyAdds
  }
}

extension NetworkPart {
  /// A searched layer with one of its operators.
  ///
  /// - Parameters:
  ///   - before, after: positions of inputs and outputs, over all that it runs on.
  init(_ layer: SearchedLayer, choice: Int, output: String, before: Int, after: Int) {
    self.init(
      name: layer.id.description, operation: layer.choices[choice].name, parameters: .of(layer.id), output: output,
      multiplyAdds: layer.choices[choice].multiplyAdds(before: before, after: after))
  }
}
