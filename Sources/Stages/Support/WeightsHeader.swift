import Determinism
import Models
import NN
import Pipelines
import TensorFiles

/// What a weights artifact of a panoptic network says about the network, beside the weights: an attribute of the file.
struct WeightsHeader: Codable {
  var network: NetworkConfiguration
  var thingClasses: Int
  var stuffClasses: Int
  var batchNormMomentum: Double

  private static let attribute = "network"

  init(_ network: PanopticNetwork, batchNormMomentum: Double) {
    self.network = network.configuration
    thingClasses = network.thingClasses
    stuffClasses = network.stuffClasses
    self.batchNormMomentum = batchNormMomentum
  }

  /// - Parameter operators: what the network may consist of.
  /// - Throws: `StateError` where the file is no panoptic network.
  init(_ file: TensorFile, path: String, operators: NetworkCatalog) throws {
    guard let value = file.attributes[WeightsHeader.attribute],
      let text = value.stringValue, let tree = try? CanonicalValue(json: Array(text.utf8)),
      let header = try? tree.decoded(as: WeightsHeader.self, userInfo: operators.userInfo)
    else {
      throw StateError(description: "\(path): holds no panoptic network (attribute '\(WeightsHeader.attribute)')")
    }
    self = header
    let place = "attribute '\(WeightsHeader.attribute)'"
    do {
      try network.check(at: "network")
      try require(thingClasses, in: 0...100_000, "thingClasses")
      try require(stuffClasses, in: 0...100_000, "stuffClasses")
      try require(batchNormMomentum, in: 0...1, "batchNormMomentum")
    } catch let error as ParameterError {
      throw StateError(description: "\(path), \(place): \(error)")
    }
    // The classes say sizes of tensors that the file holds: it must not describe what it has not.
    for (name, classes) in [("box/scores/weight", thingClasses), ("semantic/classifier/weight", stuffClasses)] {
      guard let tensor = file[name], tensor.shape.first == classes + 1 else {
        let found = file[name].map { "has shape \($0.shape)" } ?? "is not there"
        throw StateError(
          description: "\(path), \(place): tensor '\(name)' \(found), for \(classes) classes and one more")
      }
    }
    let held = file.entries.reduce(0) { $0.addingSaturated($1.tensor.count) }
    let floor = network.weightFloor(isSupernet: false, thingClasses: thingClasses, stuffClasses: stuffClasses)
    guard floor <= Double(held) else {
      throw StateError(
        description: "\(path), \(place): describes a network of \(Int(saturating: floor)) weights or more; the file "
          + "holds \(held)")
    }
  }

  func attributes() throws -> [String: CanonicalValue] {
    [WeightsHeader.attribute: .string(try CanonicalValue(encoding: self).canonicalText)]
  }
}
