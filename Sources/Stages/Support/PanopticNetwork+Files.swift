import Models
import NN
import TensorFiles

extension PanopticNetwork {
  /// Weights, statistics, and the description that `load` needs.
  func file(batchNormMomentum: Double) throws -> TensorFile {
    try store.state.file(
      attributes: WeightsHeader(self, batchNormMomentum: batchNormMomentum).attributes())
  }

  /// What the network of an artifact is made of.
  static func configuration(
    fileAt path: String, operators: NetworkCatalog = .published
  ) throws -> NetworkConfiguration {
    try WeightsHeader(TensorFile.read(path), path: path, operators: operators).network
  }

  /// The network of an artifact, with its weights. Of a supernet's file it may hold one architecture alone.
  static func load(
    fileAt path: String, content: NetworkContent, operators: NetworkCatalog = .published
  ) throws -> PanopticNetwork {
    try load(TensorFile.read(path), path: path, content: content, operators: operators)
  }

  /// - Parameters:
  ///   - path: of the file, for messages.
  ///   - operators: what the network may consist of.
  static func load(
    _ file: TensorFile, path: String, content: NetworkContent, operators: NetworkCatalog = .published
  ) throws -> PanopticNetwork {
    let header = try WeightsHeader(file, path: path, operators: operators)
    if case .fixed(let architecture) = content {
      try header.network.validate(architecture, place: "the architecture for \(path)")
    }
    let network = PanopticNetwork(
      header.network, thingClasses: header.thingClasses, stuffClasses: header.stuffClasses,
      content: content, batchNormMomentum: header.batchNormMomentum, seeds: nil)
    do {
      try network.store.load(StateDictionary(file))
    } catch let error as StateError {
      throw StateError(description: "\(path): \(error)")
    }
    return network
  }
}
