import Datasets
import Determinism
import Models

// Folders count as the published data sets, whatever is in them.

extension CocoFolder: NegligibleWork {
  func facts(at site: EstimationSite) -> StageFacts { StageFacts(data: .coco) }
}

extension ADE20KFolder: NegligibleWork {
  func facts(at site: EstimationSite) -> StageFacts { StageFacts(data: .ade20k) }
}

extension ImageNetFolder: NegligibleWork {
  func facts(at site: EstimationSite) -> StageFacts { StageFacts(data: .imagenet) }
}

extension CocoMiniature: NegligibleWork {
  func facts(at site: EstimationSite) throws -> StageFacts {
    StageFacts(data: try DataSize(parameters.scenes))
  }
}

extension ADE20KMiniature: NegligibleWork {
  func facts(at site: EstimationSite) throws -> StageFacts {
    StageFacts(data: try DataSize(parameters.scenes))
  }
}

extension ImageNetMiniature: NegligibleWork {
  func facts(at site: EstimationSite) -> StageFacts {
    StageFacts(data: DataSize(parameters.images))
  }
}

extension DrawSearchSplitStage: NegligibleWork {
  func facts(at site: EstimationSite) -> StageFacts {
    StageFacts(validationImages: parameters.validationImages)
  }
}

// One run of a stage that proposes candidates makes so many.

extension ProposeCandidatesStage: NegligibleWork {
  func facts(at site: EstimationSite) -> StageFacts {
    let models = parameters.cycles.multipliedSaturated(by: parameters.network.searchSpace.blockLength)
    return StageFacts(elements: models)
  }
}

extension RandomCandidatesStage: NegligibleWork {
  func facts(at site: EstimationSite) -> StageFacts {
    StageFacts(elements: parameters.count)
  }
}

extension EvolveCandidatesStage: NegligibleWork {
  func facts(at site: EstimationSite) -> StageFacts {
    StageFacts(elements: parameters.population)
  }
}

extension NameArchitecturesStage: NegligibleWork {
  func facts(at site: EstimationSite) -> StageFacts { StageFacts(elements: count) }
}

extension VaryLayersStage: NegligibleWork {
  func facts(at site: EstimationSite) -> StageFacts { StageFacts(elements: count) }
}

// Stages that compute no network.

extension ConvertADE20KStage: NegligibleWork {}
extension SelectArchitectureStage: NegligibleWork {}
extension SelectFittestStage: NegligibleWork {}
extension ReplaceBackboneStage: NegligibleWork {}
extension PlantedFitnessStage: NegligibleWork {}
extension SearchLandscapeStage: NegligibleWork {}
extension ExpectScoresStage: NegligibleWork {}
extension EvaluatePanopticStage: NegligibleWork {}
extension TabulateStage: NegligibleWork {}
extension SearchSpaceStage: NegligibleWork {}
extension CompareRankingsStage: NegligibleWork {}
extension CompareLandscapesStage: NegligibleWork {}
extension ExplainRankingsStage: NegligibleWork {}
extension DrawScoresStage: NegligibleWork {}
extension DrawPoliciesStage: NegligibleWork {}
extension DrawArchitectureStage: NegligibleWork {}
extension DrawPredictionsStage: NegligibleWork {}
