import Autograd
import Determinism
import NN
import Tensors

/// A backbone with the ImageNet head of method 2.2: 1x1 convolution, BN, ReLU, channel dropout, average pool, linear.
public final class Classifier {
  /// All parameters and statistics.
  public let store: ParameterStore
  /// Its last stage is what gets classified.
  public let backbone: any Backbone
  private let last: Conv2d
  private let lastNorm: BatchNorm2d
  private let output: Linear
  private let dropout: Float

  public init(
    _ configuration: BackboneConfiguration, choices: BackboneChoices, classes: Int, dropout: Float, momentum: Double,
    seeds: Seeds?
  ) {
    store = ParameterStore(seeds: seeds)
    let settings = BlockSettings(configuration, momentum: momentum)
    backbone = configuration.family.definition.make(
      store.root.sub(PanopticNetwork.backboneScope), configuration, choices: choices, settings: settings)
    let head = store.root.sub("classifier")
    let inputs = configuration.stageChannels[3]
    last = Conv2d(
      head.sub("last"), inputChannels: inputs, outputChannels: configuration.classifierChannels, kernelSize: 1,
      bias: true, weight: settings.convolutionInitializer(groupInputs: inputs))
    lastNorm = BatchNorm2d(
      head.sub("last").sub("norm"), channels: configuration.classifierChannels, momentum: momentum, relu: true,
      shift: .constant(settings.shift))
    output = Linear(
      head.sub("output"), inputs: configuration.classifierChannels, outputs: classes, bias: true,
      weight: .normal(standardDeviation: 0.01))
    self.dropout = dropout
  }

  /// Class scores `[N, classes]` before softmax.
  ///
  /// - Parameter random: draws the dropped channels in training.
  public func callAsFunction(_ x: Variable, path: [Int], random: inout RandomStream) -> Variable {
    var y = lastNorm(last(backbone(x, path: path)[3]))
    if x.pass.mode == .training, dropout > 0 {
      let keep = 1 - dropout
      let mask = Tensor(shape: [y.shape[0], y.shape[1]]) { _ in
        random.uniform() < Double(keep) ? 1 / keep : 0
      }
      y = scaleChannels(y, by: x.pass.constant(mask))
    }
    return output(globalAveragePool(y))
  }
}
