import Autograd
import NN

/// The semantic head of Panoptic-FPN (Kirillov et al. 2019, figure 3): every level is brought to P2's size by steps of
/// convolution and twofold upsampling. Nothing is searched.
final class PanopticFPNHead: SemanticHead {
  private let towers: [UpsamplingTower]
  private let classifier: SemanticClassifier

  init(_ setting: SemanticHeadSetting, isDeformable: Bool) {
    towers = (0..<setting.levelCount).map { level in
      UpsamplingTower(
        setting.scope.sub("tower\(level + 2)"), inputs: setting.inputs,
        outputs: setting.configuration.semantic.channels, doublings: level, isDeformable: isDeformable,
        normGroups: setting.configuration.normGroups)
    }
    classifier = SemanticClassifier(setting)
  }

  func features(_ levels: [Variable], path: [Int]) -> [Variable] { zip(towers, levels).map { $0($1) } }

  func scores(_ features: [Variable]) -> Variable { classifier(features) }
}

/// One level's part: 3×3 convolution, group norm, ReLU and upsampling, repeated until P2's size is reached. P2 itself
/// passes one convolution.
private final class UpsamplingTower {
  private let stages: [(Variable) -> Variable]
  private let doublings: Int

  init(_ scope: Scope, inputs: Int, outputs: Int, doublings: Int, isDeformable: Bool, normGroups: Int) {
    self.doublings = doublings
    stages = (0..<max(1, doublings)).map { i in
      let place = scope.sub("conv\(i + 1)")
      let channels = i == 0 ? inputs : outputs
      guard isDeformable else {
        return HeadLayer.plain(place, inputs: channels, outputs: outputs, normGroups: normGroups)
      }
      let layer = HeadOperator.deformable3x3.makeLayer(place, inputs: channels, outputs: outputs)
      let norm = normActivation(place.sub("norm"), channels: outputs, groups: normGroups, hasReLU: true)
      return { norm(layer($0)) }
    }
  }

  func callAsFunction(_ level: Variable) -> Variable {
    stages.reduce(level) { x, stage in
      let y = stage(x)
      guard doublings > 0 else { return y }
      return resizeBilinear(y, height: 2 * y.shape[2], width: 2 * y.shape[3], alignCorners: true)
    }
  }
}

/// Panoptic-FPN's heads, with plain or deformable convolutions.
struct PanopticFPNHeadFamily: SemanticHeadFamily {
  var isDeformable: Bool

  var name: String { isDeformable ? "panoptic-fpn-deformable" : "panoptic-fpn" }

  func make(_ setting: SemanticHeadSetting) -> any SemanticHead { PanopticFPNHead(setting, isDeformable: isDeformable) }

  func layers(_ shapes: SemanticHeadShapes) -> [NetworkPart] {
    let channels = shapes.configuration.semantic.channels
    return shapes.levels.indices.flatMap { level in
      (0..<max(1, level)).map { i in
        let inputs = i == 0 ? shapes.configuration.pyramidChannels : channels
        let positions = shapes.area(level) << (2 * i)
        return NetworkPart(
          name: "semantic P\(level + 2) layer \(i + 1)",
          operation: isDeformable ? HeadOperator.deformable3x3.name : HeadLayer.plainName,
          parameters: .below("semantic/tower\(level + 2)/conv\(i + 1)/"), output: "\(channels) × \(positions) cells",
          multiplyAdds: positions
            * (isDeformable
              ? HeadOperator.deformable3x3.multiplyAdds(inputs: inputs, outputs: channels)
              : HeadLayer.plainMultiplyAdds(inputs: inputs, outputs: channels)))
      }
    } + [shapes.classifier()]
  }

  func weightFloor(_ configuration: NetworkConfiguration, isSupernet: Bool) -> Double {
    Double(configuration.backbone.stageChannels.count) * 9 * Double(configuration.pyramidChannels)
      * Double(configuration.semantic.channels)
  }
}

extension SemanticHeadKind {
  /// Kirillov et al. 2019: convolutions alternate with upsampling, and levels are added.
  public static let panopticFPN = SemanticHeadKind(PanopticFPNHeadFamily(isDeformable: false))
  /// The same with deformable convolutions.
  public static let panopticFPNDeformable = SemanticHeadKind(PanopticFPNHeadFamily(isDeformable: true))
}
