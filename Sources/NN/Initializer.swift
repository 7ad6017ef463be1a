import Determinism
import Tensors

/// How a parameter starts. Fans of a convolution weight `[O, I/groups, k, k]` are counted as PyTorch counts them:
/// `fanIn = I/groups · k²`, `fanOut = O · k²`.
public enum Initializer: Sendable, Hashable {
  case constant(Float)
  case normal(standardDeviation: Double)
  /// Uniform in ±bound.
  case uniform(bound: Double)
  /// Uniform in ±√(3 / fanIn): "uniform Kaiming, a = 1" (method 3.1).
  case kaimingUniform
  /// Normal with variance 2 / fanOut (method 3.5).
  case kaimingNormalFanOut
  /// Normal with variance 2 / (fanIn + fanOut) (method 3.7).
  case xavierNormal
  /// Uniform in ±1/√fanIn, the default of PyTorch 1.3 for weights.
  case fanInUniform

  /// Draws the values in row-major order.
  func tensor(shape: Shape, random: inout RandomStream) -> Tensor {
    let fanIn = Double(shape.rank < 2 ? max(1, shape.count) : shape.count / max(1, shape[0]))
    let fanOut = Double(shape.rank < 2 ? max(1, shape.count) : shape.count / max(1, shape[1]))
    func normal(_ deviation: Double) -> Tensor {
      Tensor(shape: shape) { _ in Float(random.normal() * deviation) }
    }
    func uniform(_ bound: Double) -> Tensor {
      Tensor(shape: shape) { _ in Float(random.uniform(-bound, bound)) }
    }
    return switch self {
    case .constant(let value): Tensor(repeating: value, shape: shape)
    case .normal(let deviation): normal(deviation)
    case .uniform(let bound): uniform(bound)
    case .kaimingUniform: uniform((3 / fanIn).squareRoot())
    case .kaimingNormalFanOut: normal((2 / fanOut).squareRoot())
    case .xavierNormal: normal((2 / (fanIn + fanOut)).squareRoot())
    case .fanInUniform: uniform((1 / fanIn).squareRoot())
    }
  }
}
