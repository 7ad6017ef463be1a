import Autograd
import NN

/// Joins semantic features and classifies them.
struct SemanticClassifier {
  private let merge: SemanticConfiguration.Merge
  private let convolution: Conv2d

  init(_ setting: SemanticHeadSetting) {
    let semantic = setting.configuration.semantic
    merge = semantic.merge
    let inputs = (merge == .concatenate ? setting.levelCount : 1) * semantic.channels
    convolution = Conv2d(
      setting.scope.sub("classifier"), inputChannels: inputs, outputChannels: setting.classes, kernelSize: 1,
      bias: true,
      weight: .fanInUniform, biasInitializer: .uniform(bound: (1 / Double(inputs)).squareRoot()))
  }

  /// S2 to S5 to scores, all at P2's size.
  func callAsFunction(_ features: [Variable]) -> Variable {
    convolution(merge == .concatenate ? concatenate(features) : features.dropFirst().reduce(features[0], add))
  }
}
