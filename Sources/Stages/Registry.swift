import Pipelines
import TensorFiles

/// Everything that the pipelines of this project are made of.
public enum Stages {
  public static let registry = StageRegistry(
    kinds: [
      StageKind(source: CocoFolder.self),
      StageKind(source: ImageNetFolder.self),
      StageKind(source: ADE20KFolder.self),
      StageKind(CocoMiniature.self),
      StageKind(ImageNetMiniature.self),
      StageKind(ADE20KMiniature.self),
      StageKind(ConvertADE20KStage.self),
      StageKind(DrawSearchSplitStage.self),
      StageKind(PretrainSupernetStage.self),
      StageKind(FinetuneSupernetStage.self),
      StageKind(ProposeCandidatesStage.self),
      StageKind(EvaluateCandidateStage.self),
      StageKind(SelectArchitectureStage.self),
      StageKind(EvolveCandidatesStage.self),
      StageKind(RandomCandidatesStage.self),
      StageKind(ReplaceBackboneStage.self),
      StageKind(SelectFittestStage.self),
      StageKind(PretrainArchitectureStage.self),
      StageKind(PretrainBackboneStage.self),
      StageKind(RetrainStage.self),
      StageKind(PredictPanopticStage.self),
      StageKind(EvaluatePanopticStage.self),
      StageKind(TabulateStage.self),
      StageKind(SearchSpaceStage.self),
      StageKind(CompareRankingsStage.self),
      StageKind(DrawScoresStage.self),
      StageKind(DrawPoliciesStage.self),
      StageKind(DrawArchitectureStage.self),
      StageKind(DrawPredictionsStage.self),
    ],
    formats: [TensorsFormat()], traits: Traits.values)

  /// What `doctor` examines beside machine and store.
  public static let healthChecks = [
    HealthCheck("libraries") { LibraryVersions.description }, NumericsSelfTest.decoderCheck,
  ]
}
