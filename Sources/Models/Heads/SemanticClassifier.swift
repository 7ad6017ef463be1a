import Autograd
import NN

/// Joins semantic features and classifies them.
struct SemanticClassifier {
  private let merge: SemanticConfiguration.Merge
  /// Levels that are joined, from S2 on.
  private let levels: Int
  private let convolution: Conv2d

  init(_ setting: SemanticHeadSetting) {
    let semantic = setting.configuration.semantic
    merge = semantic.merge
    levels = semantic.classifiedLevels ?? setting.levelCount
    let inputs = (merge == .concatenate ? levels : 1) * semantic.channels
    convolution = Conv2d(
      setting.scope.sub("classifier"), inputChannels: inputs, outputChannels: setting.classes, kernelSize: 1,
      bias: true,
      weight: .fanInUniform, biasInitializer: .uniform(bound: (1 / Double(inputs)).squareRoot()))
  }

  /// S2 to S5 to scores, all at P2's size.
  func callAsFunction(_ features: [Variable]) -> Variable {
    let read = Array(features.prefix(levels))
    return convolution(merge == .concatenate ? concatenate(read) : read.dropFirst().reduce(read[0], add))
  }
}
