import Models
import Pipelines
import TensorFiles
import Tensors

/// Everything that the pipelines of this project are made of.
public enum Stages {
  /// The kinds of stages, for a process that computes with an engine.
  ///
  /// - Parameters:
  ///   - engine: in the keys of all stages that compute.
  ///   - operators: what networks may consist of and choose among; operators beyond the paper's are in the keys of the
  ///     stages with networks.
  public static func registry(
    engine: Engine = .portable, operators: NetworkCatalog = .published
  ) -> StageRegistry {
    StageRegistry(
      kinds: dataKinds + trainingKinds(operators) + searchKinds(operators) + reportKinds(operators) + [
        .command, .files, .file, .folder,
      ],
      formats: [TensorsFormat()], traits: Traits.values(engine: engine), formerKindNames: formerKindNames,
      claimedMemory: PipelineSites.claimedMemory)
  }

  private static var dataKinds: [StageKind] {
    [
      StageKind(source: CocoFolder.self), StageKind(source: ImageNetFolder.self), StageKind(source: ADE20KFolder.self),
      StageKind(CocoMiniature.self), StageKind(ImageNetMiniature.self), StageKind(ADE20KMiniature.self),
      StageKind(ConvertADE20KStage.self), StageKind(DrawSearchSplitStage.self),
    ]
  }

  /// Variables that name folders with data sets, such as `COCO`.
  public static var sourceVariables: [String] { dataKinds.compactMap(\.sourceVariable) }

  private static func trainingKinds(_ operators: NetworkCatalog) -> [StageKind] {
    [
      StageKind(PretrainSupernetStage.self, searching: operators),
      StageKind(PretrainArchitectureStage.self, searching: operators),
      StageKind(PretrainBackboneStage.self, defaults: .init(), userInfo: operators.userInfo),
      StageKind(FinetuneSupernetStage.self, searching: operators),
      StageKind(RetrainStage.self, searching: operators),
    ]
  }

  private static func searchKinds(_ operators: NetworkCatalog) -> [StageKind] {
    [
      StageKind(ProposeCandidatesStage.self, searching: operators),
      StageKind(EvaluateCandidateStage.self) { try EvaluateCandidateStage(parameters: $0, operators: operators) },
      StageKind(SelectArchitectureStage.self, searching: operators),
      StageKind(EvolveCandidatesStage.self, searching: operators),
      StageKind(RandomCandidatesStage.self, searching: operators),
      StageKind(ReplaceBackboneStage.self), StageKind(SelectFittestStage.self),
      StageKind(PlantedFitnessStage.self, searching: operators),
      StageKind(SearchLandscapeStage.self, searching: operators),
      StageKind(ExpectScoresStage.self, searching: operators),
      StageKind(NameArchitecturesStage.self, searching: operators),
      StageKind(VaryLayersStage.self, searching: operators),
    ]
  }

  private static func reportKinds(_ operators: NetworkCatalog) -> [StageKind] {
    [
      StageKind(PredictPanopticStage.self) { try PredictPanopticStage(parameters: $0, operators: operators) },
      StageKind(EvaluatePanopticStage.self), StageKind(TabulateStage.self),
      StageKind(SearchSpaceStage.self, searching: operators), StageKind(CompareRankingsStage.self),
      StageKind(CompareLandscapesStage.self),
      StageKind(ExplainRankingsStage.self, searching: operators),
      StageKind(DrawScoresStage.self, searching: operators), StageKind(DrawPoliciesStage.self),
      StageKind(DrawArchitectureStage.self, searching: operators), StageKind(DrawPredictionsStage.self),
    ]
  }

  /// What `doctor` examines beside machine and store.
  public static let healthChecks = [
    HealthCheck("libraries") { LibraryVersions.description }, NumericsSelfTest.decoderCheck,
  ]
}
