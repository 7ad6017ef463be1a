import Autograd
import NN

/// The group norm behind a convolution or linear layer, with the ReLU that may follow it.
///
/// - Parameter groups: 0 leaves the norm out, as in networks before group normalisation; the layer then needs a bias.
func followingNorm(_ scope: Scope, channels: Int, groups: Int, isRectified: Bool) -> (Variable) -> Variable {
  guard groups > 0 else { return { isRectified ? relu($0) : $0 } }
  let norm = GroupNorm(scope, channels: channels, groups: groups, relu: isRectified)
  return { norm($0) }
}
