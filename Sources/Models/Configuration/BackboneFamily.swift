import Determinism
import NN

/// A kind of backbone: what follows from a configuration alone, and the constructor.
///
/// A new one is a file with a conforming type, and a line where a program makes its catalog.
public protocol BackboneFamily: Sendable {
  /// As pipeline files spell it, such as `resnet`.
  var name: String { get }

  /// Layers whose operator the search chooses, one for each place of a path; none by default.
  ///
  /// The backbone makes the parameters of each in a scope of its own: `scope.layer(layer.id)`.
  func searchedLayers(_ configuration: BackboneConfiguration) -> [SearchedLayer]

  /// Builds the backbone with its parameters below a scope.
  func make(
    _ scope: Scope, _ configuration: BackboneConfiguration, choices: BackboneChoices, settings: BlockSettings
  ) -> any Backbone

  /// Stem and blocks for an image, in the order in which they run.
  /// - Parameter path: operator index of every searched layer; ignored where nothing is searched.
  func parts(_ configuration: BackboneConfiguration, path: [Int], height: Int, width: Int) -> [NetworkPart]

  /// Weights of the stem and all blocks, or a little less: see `NetworkConfiguration.weightFloor`.
  /// - Parameter isSupernet: with all choices of every layer, or one.
  func weightFloor(_ configuration: BackboneConfiguration, isSupernet: Bool) -> Double

  /// Why the family cannot have such stages; nil where it can.
  /// - Precondition: four stages with at least one block each, whose channels grow from the stem on.
  func objection(to stageChannels: [Int]) -> String?
}

extension BackboneFamily {
  public func searchedLayers(_ configuration: BackboneConfiguration) -> [SearchedLayer] { [] }
  public func objection(to stageChannels: [Int]) -> String? { nil }
}

/// The backbone family of a configuration.
public struct BackboneKind: CatalogPart {
  /// What the name stands for.
  public let definition: any BackboneFamily

  public init(_ definition: any BackboneFamily) { self.definition = definition }

  public static var recommended: BackboneKind { shuffleNetV2 }
  public static var noun: String { "backbone" }
  public static func all(in catalog: NetworkCatalog) -> [BackboneKind] { catalog.backbones }
  public var name: String { definition.name }
}
