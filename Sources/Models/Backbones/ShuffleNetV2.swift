import Autograd
import NN

/// A stem and four stages of choice blocks in the style of ShuffleNetV2, which the search chooses among (method 1).
public final class ShuffleNetV2: Backbone {
  public let configuration: BackboneConfiguration
  private let entry: BackboneStem
  /// `blocks[layer][choice]`; a fixed backbone holds only its own choice, others are nil.
  private let blocks: [[ChoiceBlock?]]

  /// - Precondition: a fixed path has one choice for every block.
  init(
    _ scope: Scope, _ configuration: BackboneConfiguration, choices: BackboneChoices, settings: BlockSettings
  ) {
    self.configuration = configuration
    entry = BackboneStem(
      scope.sub("stem"), channels: configuration.stemChannels, kernelSize: 3, bias: true,
      weight: .normal(standardDeviation: 0.01), settings: settings)
    if case .fixed(let path) = choices {
      precondition(
        path.count == configuration.blockCount,
        "ShuffleNetV2: path of \(path.count) layers, backbone of \(configuration.blockCount)")
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
            if case .fixed(let path) = choices, path[layer] != choice { return nil }
            return op.makeLayer(
              place.sub(op.scopeName), inputs: inputs, outputs: outputs, stride: index == 0 ? 2 : 1,
              settings: settings)
          })
        inputs = outputs
      }
    }
    self.blocks = blocks
  }

  public func stem(_ images: Variable) -> Variable { entry(images) }

  /// - Precondition: the backbone holds the choices of the path.
  public func stages(path: [Int]) -> [[(Variable) -> Variable]] {
    precondition(path.count == blocks.count, "ShuffleNetV2: path of \(path.count) layers, backbone of \(blocks.count)")
    var layer = 0
    return configuration.stageBlocks.map { count in
      (0..<count).map { _ in
        defer { layer += 1 }
        guard let block = blocks[layer][path[layer]] else {
          preconditionFailure("ShuffleNetV2: layer \(layer) does not hold choice \(path[layer])")
        }
        return block.callAsFunction
      }
    }
  }

  public var norms: [BatchNorm2d] { [entry.norm] + blocks.joined().flatMap { $0?.norms ?? [] } }
}

/// Backbones of choice blocks, the searched ones.
public struct ShuffleNetV2Family: BackboneFamily {
  public var name: String { "shuffle" }

  public init() {}

  public func searchedLayers(_ configuration: BackboneConfiguration) -> [SearchedLayer] {
    configuration.choiceLayers
  }

  public func make(
    _ scope: Scope, _ configuration: BackboneConfiguration, choices: BackboneChoices, settings: BlockSettings
  ) -> any Backbone {
    ShuffleNetV2(scope, configuration, choices: choices, settings: settings)
  }

  public func parts(
    _ configuration: BackboneConfiguration, path: [Int], height: Int, width: Int
  ) -> [NetworkPart] {
    let (h, w) = ((height + 1) / 2, (width + 1) / 2)
    let channels = configuration.stemChannels
    let stem = NetworkPart(
      name: "stem", operation: "conv 3x3 /2", parameters: .below("body/stem/"), output: "\(channels) × \(h) × \(w)",
      multiplyAdds: 27 * channels * h * w)
    return [stem]
      + configuration.blocks(path: path, height: height, width: width).map { block in
        NetworkPart(
          name: block.layer.id.description, operation: block.operation + (block.isHalving ? " /2" : ""),
          parameters: .of(block.layer.id), output: "\(block.outputs) × \(block.height) × \(block.width)",
          multiplyAdds: block.multiplyAdds)
      }
  }

  public func weightFloor(_ configuration: BackboneConfiguration, isSupernet: Bool) -> Double {
    let copies = isSupernet ? Double(configuration.operators.count) : 1
    return configuration.weightFloor(copies: copies) { inputs, outputs in
      let middle = outputs / 2
      return (
        inputs * middle + middle * (outputs - inputs) + inputs * inputs, 2 * middle * middle
      )
    }
  }
}

extension BackboneKind {
  public static let shuffleNetV2 = BackboneKind(ShuffleNetV2Family())
}
