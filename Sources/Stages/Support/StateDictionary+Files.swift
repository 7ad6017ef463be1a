import Determinism
import Models
import NN
import TensorFiles
import Tensors

extension StateDictionary {
  /// Reads the tensors of an artifact.
  /// - Throws: `TensorFileError`, or `StateError` for a tensor that is not binary32.
  init(fileAt path: String) throws { self.init(try TensorFile.read(path)) }

  init(_ file: TensorFile) {
    self.init(
      file.entries.compactMap { entry in Tensor(entry.tensor).map { (name: entry.name, tensor: $0) } })
  }

  /// The state as the content of an artifact.
  func file(attributes: [String: CanonicalValue] = [:]) throws -> TensorFile {
    try TensorFile(tensors: entries.map { ($0.name, NamedTensor($0.tensor)) }, attributes: attributes)
  }

  func write(to path: String, attributes: [String: CanonicalValue] = [:]) throws {
    try file(attributes: attributes).write(to: path)
  }
}

/// What a weights artifact of a panoptic network says about the network, beside the weights.
struct NetworkDescription: Codable {
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

  /// - Throws: `StateError` where the file is no panoptic network.
  init(_ file: TensorFile, path: String) throws {
    guard let value = file.attributes[NetworkDescription.attribute],
      let text = value.stringValue, let tree = try? CanonicalValue(json: Array(text.utf8)),
      let description = try? tree.decoded(as: NetworkDescription.self)
    else {
      throw StateError(description: "\(path): holds no panoptic network (attribute '\(NetworkDescription.attribute)')")
    }
    self = description
  }

  func attributes() throws -> [String: CanonicalValue] {
    [NetworkDescription.attribute: .string(try CanonicalValue(encoding: self).canonicalText)]
  }
}

extension PanopticNetwork {
  /// Weights, statistics, and the description that `load` needs.
  func file(batchNormMomentum: Double) throws -> TensorFile {
    try store.state.file(
      attributes: NetworkDescription(self, batchNormMomentum: batchNormMomentum).attributes())
  }

  /// What the network of an artifact is made of.
  static func configuration(fileAt path: String) throws -> NetworkConfiguration {
    try NetworkDescription(try TensorFile.read(path), path: path).network
  }

  /// The network of an artifact, with its weights. Of a supernet's file it may hold one architecture alone.
  static func load(fileAt path: String, content: NetworkContent) throws -> PanopticNetwork {
    let file = try TensorFile.read(path)
    let description = try NetworkDescription(file, path: path)
    if case .fixed(let architecture) = content { try description.network.validate(architecture) }
    let network = PanopticNetwork(
      description.network, thingClasses: description.thingClasses, stuffClasses: description.stuffClasses,
      content: content, batchNormMomentum: description.batchNormMomentum, seeds: nil)
    try network.store.load(StateDictionary(file))
    return network
  }
}
