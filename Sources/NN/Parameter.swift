import Autograd
import Tensors

/// What a parameter is for; optimisers treat roles differently (method 2.2, 5.5, 8.1).
public enum ParameterRole: String, Sendable, Hashable {
  /// Weights of convolutions and linear layers.
  case weight
  /// Additive terms: biases of layers, and β of normalisations.
  case bias
  /// γ of normalisations.
  case scale
}

/// What a parameter normalises, if anything: γ and β of either kind have one.
public enum ParameterNorm: String, Sendable, Hashable {
  case batch, group
}

/// Names a layer of a network whose parameters are told apart from those of others, such as `mask layer 2`.
public struct LayerID: Hashable, Sendable, CustomStringConvertible {
  public let description: String

  public init(_ description: String) { self.description = description }
}

/// A trainable tensor with its name in the state dictionary, such as `body/stage1/0/choice2/expand/weight`.
public final class Parameter: Trainable {
  public let name: String
  /// What optimisers go by.
  public let role: ParameterRole
  /// Of γ and β, the kind of normalisation; nil for all other parameters.
  public let norm: ParameterNorm?
  /// The layer that it was made in (see `Scope.layer`); nil for what belongs to the network as a whole.
  public let layer: LayerID?

  init(name: String, role: ParameterRole, norm: ParameterNorm?, layer: LayerID?, value: Tensor) {
    self.name = name
    self.role = role
    self.norm = norm
    self.layer = layer
    super.init(value: value)
  }
}

/// A tensor of the state that no gradient trains: the running statistics of batch norm.
public final class Buffer {
  public let name: String
  public var value: Tensor

  init(name: String, value: Tensor) {
    self.name = name
    self.value = value
  }
}
