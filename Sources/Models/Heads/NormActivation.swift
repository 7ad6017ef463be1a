import Autograd
import NN

/// The group norm and ReLU after a convolution or linear layer, where it has them.
///
/// - Parameters:
///   - groups: 0 leaves the norm out, as in networks before group normalisation; the layer then needs a bias.
///   - hasReLU: whether a ReLU follows.
func normActivation(_ scope: Scope, channels: Int, groups: Int, hasReLU: Bool) -> (Variable) -> Variable {
  guard groups > 0 else { return { hasReLU ? relu($0) : $0 } }
  let norm = GroupNorm(scope, channels: channels, groups: groups, relu: hasReLU)
  return { norm($0) }
}
