import Models
import Reports
import Search

/// The searched layers of a network as rows of blocks.
public enum ArchitectureDrawing {
  /// Those of a panoptic network, from the input on.
  public static func rows(of architecture: Architecture, _ configuration: NetworkConfiguration) -> [BlockDiagram.Row] {
    let (layers, space) = (configuration.searchedLayers, configuration.searchSpace)
    func chosen(_ component: SearchSpace.Component) -> [String] {
      zip(layers.of(component), architecture.choices(of: component, in: space)).map { $0.choices[$1].name }
    }
    return rows(ofBackbone: architecture.backbone, configuration.backbone) + [
      .init(name: "mask head", blocks: chosen(.mask)),
      .init(name: "semantic branch", blocks: chosen(.semantic)),
      .init(name: "things to S2…S5", blocks: chosen(.thingsToStuff), isChain: false),
      .init(name: "stuff to P2…P6", blocks: chosen(.stuffToThings), isChain: false),
    ]
  }

  /// Those of a backbone.
  public static func rows(ofBackbone path: [Int], _ configuration: BackboneConfiguration) -> [BlockDiagram.Row] {
    var rest = zip(configuration.searchedLayers, path).map { $0.choices[$1].name }[...]
    return configuration.stageBlocks.enumerated().map { stage, count in
      defer { rest = rest.dropFirst(count) }
      return .init(
        name: "stage \(stage + 1), 1/\(4 << stage)",
        blocks: Array(rest.prefix(count)))
    }
  }
}
