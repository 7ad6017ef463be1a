import Autograd
import NN
import Tensors

/// Which operators a body holds: one fixed choice a layer, or all four of a supernet.
public enum BodyChoices: Sendable, Hashable {
  case supernet
  /// Operator index of every layer.
  case fixed([Int])
}

/// A stem and four stages: of choice blocks (spec section 1), or of a ResNet.
public final class Body {
  public let configuration: BodyConfiguration
  private let stem: Conv2d
  private let stemNorm: BatchNorm2d
  /// Of a ResNet, in order; empty in other bodies.
  private let bottlenecks: [BottleneckBlock]
  /// `blocks[layer][choice]`; a fixed body holds only its own choice, others are nil.
  private let blocks: [[ChoiceBlock?]]

  public init(_ scope: Scope, _ configuration: BodyConfiguration, choices: BodyChoices, style: BodyStyle) {
    self.configuration = configuration
    var style = style
    style.initialDeviation = configuration.initialDeviation
    style.branchScale = configuration.branchScale
    style.reluShift = configuration.reluShift ?? style.shift
    style.normalizesByUnbiasedVariance = configuration.normVariance == .unbiased
    let isResNet = configuration.family == .resnet
    stem = Conv2d(
      scope.sub("stem"), inputChannels: 3, outputChannels: configuration.stemChannels, kernelSize: isResNet ? 7 : 3,
      stride: 2, padding: isResNet ? 3 : 1, bias: !isResNet,
      weight: isResNet ? .kaimingNormalFanOut : .normal(standardDeviation: 0.01))
    stemNorm = BatchNorm2d(
      scope.sub("stem").sub("norm"), channels: configuration.stemChannels, momentum: style.momentum, relu: true,
      shift: .constant(style.reluShift), normalizesByUnbiasedVariance: style.normalizesByUnbiasedVariance)
    bottlenecks = isResNet ? BottleneckBlock.stages(scope, configuration, style: style) : []
    guard !isResNet else {
      blocks = []
      return
    }
    if case .fixed(let indices) = choices {
      precondition(
        indices.count == configuration.blockCount,
        "Body: path of \(indices.count) layers, body of \(configuration.blockCount)")
    }
    var blocks: [[ChoiceBlock?]] = []
    var inputs = configuration.stemChannels
    for (stage, count) in configuration.stageBlocks.enumerated() {
      let outputs = configuration.stageChannels[stage]
      for index in 0..<count {
        let layer = blocks.count
        let place = scope.sub("stage\(stage + 1)").sub(index).layer(.backbone(stage: stage, block: index))
        blocks.append(
          configuration.operators.operators.enumerated().map { choice, op in
            if case .fixed(let indices) = choices, indices[layer] != choice { return nil }
            return op.makeLayer(
              place.sub(op.scopeName), inputs: inputs, outputs: outputs, stride: index == 0 ? 2 : 1,
              style: style)
          })
        inputs = outputs
      }
    }
    self.blocks = blocks
  }

  /// C2, C3, C4, C5 at strides 4, 8, 16, 32 (spec 1.2).
  ///
  /// - Parameters:
  ///   - x: `[N, 3, H, W]`, BGR.
  ///   - path: operator index of every layer; not looked at in a ResNet.
  ///   - recomputesBlocks: in training, keeps the outputs of blocks alone and computes what is inside them again on
  ///     the way back: a quarter of the memory, for one more forward run of the body. The same bits.
  public func callAsFunction(_ x: Variable, path: [Int], recomputesBlocks: Bool = false) -> [Variable] {
    var y = stemNorm(stem(x))
    var outputs: [Variable] = []
    var layer = 0
    if configuration.family == .resnet {
      y = maxPool(y, kernelSize: 3, stride: 2, padding: 1)
    } else {
      precondition(path.count == blocks.count, "Body: path of \(path.count) layers, body of \(blocks.count)")
    }
    for count in configuration.stageBlocks {
      for _ in 0..<count {
        let block = block(layer, path: path)
        y = recomputesBlocks ? recomputed(y, block) : block(y)
        layer += 1
      }
      outputs.append(y)
    }
    return outputs
  }

  private func block(_ layer: Int, path: [Int]) -> (Variable) -> Variable {
    if configuration.family == .resnet { return bottlenecks[layer].callAsFunction }
    guard let block = blocks[layer][path[layer]] else {
      preconditionFailure("Body: layer \(layer) does not hold choice \(path[layer])")
    }
    return block.callAsFunction
  }

  /// Forgets the running statistics of every batch norm (spec 6).
  public func resetStatistics() {
    stemNorm.resetStatistics()
    for block in bottlenecks { block.norms.forEach { $0.resetStatistics() } }
    for block in blocks.joined() { block?.norms.forEach { $0.resetStatistics() } }
  }
}
