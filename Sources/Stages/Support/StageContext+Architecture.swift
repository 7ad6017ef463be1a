import Models
import Pipelines
import Search

extension StageContext {
  /// The architecture of the input `architecture`; where there is none and nothing of the network is searched, one that
  /// says nothing.
  /// - Throws: where it is missing.
  func architecture(for network: NetworkConfiguration) throws -> Architecture {
    if let artifact = optionalInput("architecture") { return try artifact.decoded(as: Architecture.self) }
    guard network.isFixed else {
      throw SearchSizeError(
        description: "this network has searched parts: the stage needs an 'architecture' that says which")
    }
    return Architecture(Genome(network.searchSpace.choicesPerLayer.map { _ in 0 }), in: network.searchSpace)
  }
}
