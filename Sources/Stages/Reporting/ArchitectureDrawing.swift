import Models
import Reports
import Search

/// The searched layers of a network as rows of blocks.
public enum ArchitectureDrawing {
  /// Those of a panoptic network, from the input on.
  public static func rows(of architecture: Architecture, _ configuration: NetworkConfiguration) -> [BlockDiagram.Row] {
    let heads = architecture.headChoices(in: configuration.searchSpace)
    let attention = architecture.attentionChoices(in: configuration.searchSpace)
    func operators(_ choices: [Int]) -> [String] { choices.map { configuration.headOperators[$0].name } }
    func ratios(_ choices: [Int]) -> [String] { choices.map { "ratio \(configuration.attention.ratios[$0])" } }
    return rows(ofBody: architecture.backbone, configuration.backbone) + [
      .init(name: "mask head", blocks: operators(heads.mask)),
      .init(name: "semantic branch", blocks: operators(heads.semantic)),
      .init(name: "things to S2…S5", blocks: ratios(attention.thingsToStuff), isChain: false),
      .init(name: "stuff to P2…P6", blocks: ratios(attention.stuffToThings), isChain: false),
    ]
  }

  /// Those of a backbone.
  public static func rows(ofBody path: [Int], _ configuration: BackboneConfiguration) -> [BlockDiagram.Row] {
    var rest = path[...]
    return configuration.stageBlocks.enumerated().map { stage, count in
      defer { rest = rest.dropFirst(count) }
      return .init(
        name: "stage \(stage + 1), 1/\(4 << stage)",
        blocks: rest.prefix(count).map { configuration.operators[$0].name })
    }
  }
}
