import Autograd
import NN

/// A ResNet of bottleneck blocks (He et al. 2016), which has no choices: the backbone of the Panoptic-FPN baselines.
public final class ResNet: Backbone {
  public let configuration: BackboneConfiguration
  private let entry: BackboneStem
  private let blocks: [[BottleneckBlock]]

  init(_ scope: Scope, _ configuration: BackboneConfiguration, settings: BlockSettings) {
    self.configuration = configuration
    entry = BackboneStem(
      scope.sub("stem"), channels: configuration.stemChannels, kernelSize: 7, bias: false, weight: .kaimingNormalFanOut,
      settings: settings)
    var inputs = configuration.stemChannels
    blocks = zip(configuration.stageBlocks, configuration.stageChannels).enumerated().map { stage, size in
      let (count, outputs) = size
      return (0..<count).map { index in
        defer { inputs = outputs }
        // The first stage keeps the resolution, which the max pool before it has halved.
        return BottleneckBlock(
          scope.sub("stage\(stage + 1)").sub(index), inputs: inputs, outputs: outputs,
          stride: stage > 0 && index == 0 ? 2 : 1, stridePlace: configuration.bottleneckStride, settings: settings)
      }
    }
  }

  public func stem(_ images: Variable) -> Variable { maxPool(entry(images), kernelSize: 3, stride: 2, padding: 1) }

  public func stages(path: [Int]) -> [[(Variable) -> Variable]] {
    blocks.map { stage in stage.map { $0.callAsFunction } }
  }

  public var norms: [BatchNorm2d] { [entry.norm] + blocks.joined().flatMap(\.norms) }
}

/// Backbones of bottleneck blocks.
public struct ResNetFamily: BackboneFamily {
  public var name: String { "resnet" }

  public init() {}

  public func make(
    _ scope: Scope, _ configuration: BackboneConfiguration, choices: BackboneChoices, settings: BlockSettings
  ) -> any Backbone {
    ResNet(scope, configuration, settings: settings)
  }

  public func parts(
    _ configuration: BackboneConfiguration, path: [Int], height: Int, width: Int
  ) -> [NetworkPart] {
    func halved(_ side: Int) -> Int { (side + 1) / 2 }
    var (height, width) = (halved(height), halved(width))
    let channels = configuration.stemChannels
    var parts = [
      NetworkPart(
        name: "stem", operation: "conv 7x7 /2", parameters: .below("body/stem/"),
        output: "\(channels) × \(height) × \(width)",
        multiplyAdds: 147 * channels * height * width)
    ]
    (height, width) = (halved(height), halved(width))
    var inputs = channels
    for (stage, (outputs, count)) in zip(configuration.stageChannels, configuration.stageBlocks).enumerated() {
      for index in 0..<count {
        let hasStride = stage > 0 && index == 0
        let before = height * width
        if hasStride { (height, width) = (halved(height), halved(width)) }
        let after = height * width
        let middle = outputs / 4
        let shortcut = index == 0 ? inputs * outputs : 0
        parts.append(
          NetworkPart(
            name: "stage \(stage + 1) block \(index + 1)", operation: "bottleneck" + (hasStride ? " /2" : ""),
            parameters: .below("body/stage\(stage + 1)/\(index)/"), output: "\(outputs) × \(height) × \(width)",
            multiplyAdds: (configuration.bottleneckStride == .in3x3 ? before : after) * inputs * middle
              + (9 * middle * middle + middle * outputs + shortcut) * after))
        inputs = outputs
      }
    }
    return parts
  }

  public func weightFloor(_ configuration: BackboneConfiguration, isSupernet: Bool) -> Double {
    configuration.weightFloor(copies: 1) { inputs, outputs in
      let middle = outputs / 4
      let inside = 9 * middle * middle + middle * outputs
      return (inputs * middle + inside + inputs * outputs, outputs * middle + inside)
    }
  }

  public func objection(to stageChannels: [Int]) -> String? {
    stageChannels.allSatisfy { $0 >= 4 } ? nil : "must be 4 or more, since a bottleneck has a quarter of them"
  }
}

extension BackboneKind {
  public static let resNet = BackboneKind(ResNetFamily())
}
