import Determinism
import Models
import NN
import Pipelines
import TensorFiles
import Tensors

extension StateDictionary {
  /// Reads the tensors of an artifact. Those of other types than binary32 are only remembered, for messages: no network
  /// has such.
  init(fileAt path: String) throws { self.init(try TensorFile.read(path)) }

  init(_ file: TensorFile) {
    var others = [(name: String, type: String)]()
    let entries = file.entries.compactMap { entry -> (name: String, tensor: Tensor)? in
      if let tensor = Tensor(entry.tensor) { return (entry.name, tensor) }
      others.append((entry.name, "\(entry.tensor.elementType)"))
      return nil
    }
    self.init(entries, others: others)
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
struct StoredNetwork: Codable {
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
    guard let value = file.attributes[StoredNetwork.attribute],
      let text = value.stringValue, let tree = try? CanonicalValue(json: Array(text.utf8)),
      let description = try? tree.decoded(as: StoredNetwork.self)
    else {
      throw StateError(description: "\(path): holds no panoptic network (attribute '\(StoredNetwork.attribute)')")
    }
    self = description
    let place = "attribute '\(StoredNetwork.attribute)'"
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
    [StoredNetwork.attribute: .string(try CanonicalValue(encoding: self).canonicalText)]
  }
}

extension PanopticNetwork {
  /// Weights, statistics, and the description that `load` needs.
  func file(batchNormMomentum: Double) throws -> TensorFile {
    try store.state.file(
      attributes: StoredNetwork(self, batchNormMomentum: batchNormMomentum).attributes())
  }

  /// What the network of an artifact is made of.
  static func configuration(fileAt path: String) throws -> NetworkConfiguration {
    try StoredNetwork(try TensorFile.read(path), path: path).network
  }

  /// The network of an artifact, with its weights. Of a supernet's file it may hold one architecture alone.
  static func load(fileAt path: String, content: NetworkContent) throws -> PanopticNetwork {
    try load(try TensorFile.read(path), path: path, content: content)
  }

  /// - Parameter path: of the file, for messages.
  static func load(_ file: TensorFile, path: String, content: NetworkContent) throws -> PanopticNetwork {
    let description = try StoredNetwork(file, path: path)
    if case .fixed(let architecture) = content {
      try description.network.validate(architecture, place: "the architecture for \(path)")
    }
    let network = PanopticNetwork(
      description.network, thingClasses: description.thingClasses, stuffClasses: description.stuffClasses,
      content: content, batchNormMomentum: description.batchNormMomentum, seeds: nil)
    do {
      try network.store.load(StateDictionary(file))
    } catch let error as StateError {
      throw StateError(description: "\(path): \(error)")
    }
    return network
  }
}
