import Models
import Pipelines
import Search

// Whatever a stage reads was written by others: another stage, a command, another program, somebody's store. An
// architecture is checked against its search space where it is read, so that inside it can be trusted.

extension InputArtifact {
  /// The architecture of a `json` artifact, checked against the space of a network.
  /// - Throws: `SearchError` that names file, list and layer; `PipelineError` where it is no architecture at all.
  func architecture(in network: NetworkConfiguration) throws -> Architecture {
    let architecture = try decoded(as: Architecture.self)
    try network.validate(architecture, place: path)
    return architecture
  }

  /// The architecture of a `json` artifact, whose list of backbone choices is checked against a backbone.
  /// - Throws: as `architecture(in:)`.
  func architecture(in backbone: BackboneConfiguration) throws -> Architecture {
    let architecture = try plausibleArchitecture()
    guard backbone.isSearched else { return architecture }
    let space = SearchSpace(
      backboneLayers: backbone.blockCount, backboneChoices: backbone.operators.count, maskLayers: 0, semanticLayers: 0,
      thingsToStuffLayers: 0, stuffToThingsLayers: 0)
    try Architecture(backbone: architecture.backbone, head: [], inter: []).validate(in: space, place: path)
    return architecture
  }

  /// An architecture of a network that the stage does not know: whoever knows it checks the rest.
  /// - Throws: as `architecture(in:)`.
  func plausibleArchitecture() throws -> Architecture {
    let architecture = try decoded(as: Architecture.self)
    try architecture.checkPlausible(place: path)
    return architecture
  }

  /// What a candidate was worth, its architecture checked against the space of a network where that is known.
  /// - Throws: `SearchError` that names the file.
  func candidate(in network: NetworkConfiguration? = nil) throws -> CandidateResult {
    let result = try decoded(as: CandidateResult.self)
    try result.check(in: network, place: path)
    return result
  }
}

extension StageContext {
  /// The architecture of the input `architecture`; where there is none and nothing of the network is searched, one that
  /// says nothing.
  /// - Throws: where it is missing or none of the network's.
  func architecture(for network: NetworkConfiguration) throws -> Architecture {
    guard let input = optionalInput("architecture") else { return try network.architecture(nil) }
    return try input.architecture(in: network)
  }
}

extension NetworkConfiguration {
  /// The architecture that is given; where there is none and nothing is searched, one that says nothing.
  /// - Throws: where it is missing or none of this network's.
  func architecture(_ given: Architecture?) throws -> Architecture {
    if let given {
      try validate(given)
      return given
    }
    guard isFixed else {
      throw StageInputError(
        description: "this network has searched parts: the stage needs an 'architecture' that says which")
    }
    return Architecture(Genome(searchSpace.choicesPerLayer.map { _ in 0 }), in: searchSpace)
  }
}

extension Architecture {
  /// Refuses what is an architecture of no network at all.
  /// - Throws: `SearchError` that names list and layer.
  func checkPlausible(place: String) throws {
    for (name, choices) in [("backbone", backbone), ("head", head), ("inter", inter)] {
      guard choices.count <= 10_000 else {
        throw SearchError(.wrongLength, at: "\(place): \(name)", "\(choices.count) choices, more than any network has")
      }
      if let layer = choices.firstIndex(where: { !(0..<1000).contains($0) }) {
        throw SearchError(
          .unknownChoice, at: "\(place): \(name)[\(layer)]", "no layer has a choice \(choices[layer])")
      }
    }
  }
}
