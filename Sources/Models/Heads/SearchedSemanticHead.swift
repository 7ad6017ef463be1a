import Autograd
import NN

/// The searched semantic head (method 3.6): one subnet for P2 to P5, each brought to P2's size, joined and classified.
final class SearchedSemanticHead: SemanticHead {
  /// `layers[i][level]`, or one for all levels.
  private let layers: [[HeadLayer]]
  private let classifier: SemanticClassifier

  init(_ setting: SemanticHeadSetting) {
    let configuration = setting.configuration
    let semantic = configuration.semantic
    layers = (0..<semantic.layers).map { i in
      let scope = setting.scope.sub("layer\(i + 1)").layer(.semantic(i))
      let scopes =
        semantic.subnet == .shared ? [scope] : (0..<setting.levelCount).map { scope.sub("level\($0 + 2)") }
      return scopes.map { scope in
        HeadLayer(
          scope, inputs: i == 0 ? setting.inputs : semantic.channels, outputs: semantic.channels,
          normGroups: configuration.normGroups, operators: configuration.headOperators, choice: setting.choices?[i],
          heads: configuration.heads)
      }
    }
    classifier = SemanticClassifier(setting)
  }

  func features(_ levels: [Variable], path: [Int]) -> [Variable] {
    let (height, width) = (levels[0].shape[2], levels[0].shape[3])
    return levels.enumerated().map { index, level in
      let y = zip(layers, path).reduce(level) { x, layer in
        layer.0[layer.0.count == 1 ? 0 : index](x, choice: layer.1)
      }
      return index == 0 ? y : resizeBilinear(y, height: height, width: width, alignCorners: true)
    }
  }

  func scores(_ features: [Variable]) -> Variable { classifier(features) }
}

/// Heads of searched layers.
struct SearchedSemanticHeadFamily: SemanticHeadFamily {
  var name: String { "searched" }

  func make(_ setting: SemanticHeadSetting) -> any SemanticHead { SearchedSemanticHead(setting) }

  func layers(_ shapes: SemanticHeadShapes) -> [NetworkPart] {
    let configuration = shapes.configuration
    let positions = shapes.levels.indices.reduce(0) { $0 + shapes.area($1) }
    let output = "\(configuration.semantic.channels) × \(positions) cells of P2 to P5"
    return zip(configuration.searchedLayers.of(.semantic), shapes.choices).map { layer, choice in
      NetworkPart(layer, choice: choice, output: output, before: positions, after: positions)
    } + [shapes.classifier()]
  }

  func weightFloor(_ configuration: NetworkConfiguration, isSupernet: Bool) -> Double {
    let semantic = configuration.semantic
    let subnets = semantic.subnet == .perLevel ? Double(configuration.backbone.stageChannels.count) : 1
    return subnets
      * configuration.headWeightFloor(channels: semantic.channels, layers: semantic.layers, isSupernet: isSupernet)
  }
}

extension SemanticHeadKind {
  /// The layers of the architecture.
  public static let searched = SemanticHeadKind(SearchedSemanticHeadFamily())
}
