import Models
import Pipelines
import Search

extension StageContext {
  /// The architecture of the input `architecture`; where there is none and nothing of the network is searched, one that
  /// says nothing.
  /// - Throws: where it is missing.
  func architecture(for network: NetworkConfiguration) throws -> Architecture {
    try network.architecture(optionalInput("architecture")?.decoded(as: Architecture.self))
  }
}

extension NetworkConfiguration {
  /// The architecture that is given; where there is none and nothing is searched, one that says nothing.
  /// - Throws: where it is missing.
  func architecture(_ given: Architecture?) throws -> Architecture {
    if let given { return given }
    guard isFixed else {
      throw SearchSizeError(
        description: "this network has searched parts: the stage needs an 'architecture' that says which")
    }
    return Architecture(Genome(searchSpace.choicesPerLayer.map { _ in 0 }), in: searchSpace)
  }
}
