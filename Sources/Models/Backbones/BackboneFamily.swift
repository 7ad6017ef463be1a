import Determinism
import NN

/// A kind of backbone: what follows from a configuration alone, and the constructor.
///
/// A new one is a file with a conforming type and a line in `NetworkParts.standard`.
public protocol BackboneFamily: Sendable {
  /// As pipeline files spell it, such as `resnet`.
  var name: BackboneName { get }

  /// Layers whose operator the search chooses, which is the length of a path; 0 where nothing is searched.
  func searchedLayerCount(_ configuration: BackboneConfiguration) -> Int

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
  public func objection(to stageChannels: [Int]) -> String? { nil }
}

/// The name of a backbone family in configurations.
public struct BackboneName: Switch {
  public let rawValue: String

  public init(rawValue: String) { self.rawValue = rawValue }

  public static let shuffleNetV2 = BackboneName(rawValue: "shuffle")
  public static let resNet = BackboneName(rawValue: "resnet")

  public static let recommended = shuffleNetV2
  /// Those that pipeline files may name.
  public static var allCases: [BackboneName] { NetworkParts.standard.backbones.map(\.name) }
}
