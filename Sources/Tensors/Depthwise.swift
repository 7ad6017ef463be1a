import CKernels
import Determinism
let depthwiseKernels = false
extension Convolution2D {
  func depthwiseForward(_ x: Tensor, weight: Tensor, bias: Tensor?, into y: inout Tensor) { fatalError() }
  func depthwiseInputGradient(_ dy: Tensor, weight: Tensor, inputShape: Shape) -> Tensor { fatalError() }
  func depthwiseWeightGradient(_ dy: Tensor, _ x: Tensor, weightShape: Shape) -> Tensor { fatalError() }
}
