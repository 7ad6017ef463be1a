import Autograd
import Tensors

/// What a parameter is for; optimisers treat roles differently (spec 2.2, 5.5, 8.1).
public enum ParameterRole: String, Sendable, Hashable {
  /// Weights of convolutions and linear layers.
  case weight
  /// Additive terms: biases of layers, and β of normalisations.
  case bias
  /// γ of normalisations.
  case scale
}

/// A trainable tensor with its name in the state dictionary, such as `body/stage1/0/choice2/expand/weight`.
public final class Parameter: Trainable {
  public let name: String
  public let role: ParameterRole

  init(name: String, role: ParameterRole, value: Tensor) {
    self.name = name
    self.role = role
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
