import Autograd
import NN
import Tensors

/// Two hidden layers on pooled regions, then class scores and class-specific box deltas (spec 3.4).
final class BoxHead {
  private let hidden: [(Variable) -> Variable]
  private let scores: Linear
  private let deltas: Linear

  /// - Parameter classes: thing classes and background.
  init(_ scope: Scope, channels: Int, classes: Int, _ configuration: BoxHeadConfiguration) {
    func layer(_ scope: Scope, _ inputs: Int) -> (Variable) -> Variable {
      let linear = Linear(
        scope, inputs: inputs, outputs: configuration.hidden, bias: configuration.normGroups == 0,
        weight: .kaimingUniform)
      let norm = followingNorm(
        scope.sub("norm"), channels: configuration.hidden, groups: configuration.normGroups, isRectified: true)
      return { norm(linear($0)) }
    }
    let inputs = channels * configuration.pooledSize * configuration.pooledSize
    hidden = [layer(scope.sub("hidden1"), inputs), layer(scope.sub("hidden2"), configuration.hidden)]
    scores = Linear(
      scope.sub("scores"), inputs: configuration.hidden, outputs: classes, bias: true,
      weight: .normal(standardDeviation: 0.01))
    deltas = Linear(
      scope.sub("deltas"), inputs: configuration.hidden, outputs: 4 * classes, bias: true,
      weight: .normal(standardDeviation: 0.001))
  }

  /// - Parameter regions: `[R, C, s, s]`.
  /// - Returns: scores `[R, classes]` before softmax, deltas `[R, 4 · classes]`.
  func callAsFunction(_ regions: Variable) -> (scores: Variable, deltas: Variable) {
    let flat = reshape(regions, [regions.shape[0], regions.shape.count(from: 1)])
    let features = hidden.reduce(flat) { $1($0) }
    return (scores(features), deltas(features))
  }
}

extension Shape {
  /// Elements of one entry of the first dimensions before `dimension`.
  func count(from dimension: Int) -> Int { (dimension..<rank).reduce(1) { $0 * self[$1] } }
}
