import Datasets
import Determinism
import Models

// Folders count as the published data sets, whatever is in them.

extension CocoFolder: WorkEstimating {
  func estimatedWork(at site: EstimationSite) -> EstimatedWork { EstimatedWork(facts: StageFacts(data: .coco)) }
}

extension ADE20KFolder: WorkEstimating {
  func estimatedWork(at site: EstimationSite) -> EstimatedWork { EstimatedWork(facts: StageFacts(data: .ade20k)) }
}

extension ImageNetFolder: WorkEstimating {
  func estimatedWork(at site: EstimationSite) -> EstimatedWork { EstimatedWork(facts: StageFacts(data: .imagenet)) }
}

extension CocoMiniature: WorkEstimating {
  func estimatedWork(at site: EstimationSite) throws -> EstimatedWork {
    EstimatedWork(facts: StageFacts(data: try DataSize(parameters.scenes)))
  }
}

extension ADE20KMiniature: WorkEstimating {
  func estimatedWork(at site: EstimationSite) throws -> EstimatedWork {
    EstimatedWork(facts: StageFacts(data: try DataSize(parameters.scenes)))
  }
}

extension ImageNetMiniature: WorkEstimating {
  func estimatedWork(at site: EstimationSite) -> EstimatedWork {
    EstimatedWork(facts: StageFacts(data: DataSize(parameters.images)))
  }
}

extension DrawSearchSplitStage: WorkEstimating {
  func estimatedWork(at site: EstimationSite) -> EstimatedWork {
    EstimatedWork(facts: StageFacts(validationImages: parameters.validationImages))
  }
}

// One run of a stage that proposes candidates makes so many.

extension ProposeCandidatesStage: WorkEstimating {
  func estimatedWork(at site: EstimationSite) -> EstimatedWork {
    let models = parameters.cycles.multipliedSaturated(by: parameters.network.searchSpace.blockLength)
    return EstimatedWork(facts: StageFacts(elements: models))
  }
}

extension RandomCandidatesStage: WorkEstimating {
  func estimatedWork(at site: EstimationSite) -> EstimatedWork {
    EstimatedWork(facts: StageFacts(elements: parameters.count))
  }
}

extension EvolveCandidatesStage: WorkEstimating {
  func estimatedWork(at site: EstimationSite) -> EstimatedWork {
    EstimatedWork(facts: StageFacts(elements: parameters.population))
  }
}

// Stages that compute no network.

extension ConvertADE20KStage: NegligibleWork {}
extension SelectArchitectureStage: NegligibleWork {}
extension SelectFittestStage: NegligibleWork {}
extension ReplaceBackboneStage: NegligibleWork {}
extension EvaluatePanopticStage: NegligibleWork {}
extension TabulateStage: NegligibleWork {}
extension SearchSpaceStage: NegligibleWork {}
extension CompareRankingsStage: NegligibleWork {}
extension DrawScoresStage: NegligibleWork {}
extension DrawPoliciesStage: NegligibleWork {}
extension DrawArchitectureStage: NegligibleWork {}
extension DrawPredictionsStage: NegligibleWork {}
