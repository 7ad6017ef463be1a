import Autograd
import NN

/// The head of the region proposal network, one set of weights for all levels (method 3.3).
final class RegionProposalHead {
  private let shared: Conv2d
  private let objectness: Conv2d
  private let deltas: Conv2d

  /// - Parameter anchorsPerCell: A, one anchor for each aspect ratio.
  init(_ scope: Scope, channels: Int, anchorsPerCell: Int) {
    let weight = Initializer.normal(standardDeviation: 0.01)
    shared = Conv2d(
      scope.sub("shared"), inputChannels: channels, outputChannels: channels, kernelSize: 3, bias: true, weight: weight)
    objectness = Conv2d(
      scope.sub("objectness"), inputChannels: channels, outputChannels: anchorsPerCell, kernelSize: 1, bias: true,
      weight: weight)
    deltas = Conv2d(
      scope.sub("deltas"), inputChannels: channels, outputChannels: 4 * anchorsPerCell, kernelSize: 1, bias: true,
      weight: weight)
  }

  /// For every level objectness `[N, A, H, W]` before the sigmoid, and deltas `[N, 4A, H, W]`: four channels
  /// `(dx, dy, dw, dh)` an anchor.
  func callAsFunction(_ levels: [Variable]) -> [(objectness: Variable, deltas: Variable)] {
    levels.map { level in
      let hidden = relu(shared(level))
      return (objectness(hidden), deltas(hidden))
    }
  }
}
