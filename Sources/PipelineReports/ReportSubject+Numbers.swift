import ArtifactStore
import Determinism
import PipelineModel
import PipelineRunner

extension ReportSubject {
  /// An output of a stage with numbers, and what its instances made.
  struct Numbers {
    let stage: String
    let output: String
    let artifacts: [(instance: String, artifact: Artifact?)]
  }

  /// The numbers that stages show at the end of a run.
  var highlights: [HighlightedStage] { HighlightedStage.all(in: graph, store: store) }

  /// What a highlight was read from, where that is one artifact.
  func digest(of highlight: String, of stage: String) -> Digest? {
    guard let summary = stages.first(where: { $0.name == stage }),
      let output = summary.kind.highlights.first(where: { $0.name == highlight })?.output
    else { return nil }
    let found = artifacts(output, of: stage)
    return found.count == 1 ? found[0].artifact?.digest : nil
  }

  /// Outputs with metrics: of that kind, and those that highlights are read from.
  var metrics: [Numbers] {
    outputs { stage, port in
      port.kind == MetricsFormat.name
        || port.kind == JSONFormat.name && stage.kind.highlights.contains { $0.output == port.name }
    }
  }

  /// Outputs with numbers over steps.
  var histories: [Numbers] {
    outputs { _, port in port.kind == HistoryFormat.name || port.kind == JSONFormat.name && port.name == "history" }
  }

  /// Outputs that are there, at least in part.
  private func outputs(where isWanted: (StageSummary, OutputPort) -> Bool) -> [Numbers] {
    stages.flatMap { stage in
      stage.kind.outputs.filter { isWanted(stage, $0) }.compactMap { port in
        let found = artifacts(port.name, of: stage.name)
        guard found.contains(where: { $0.artifact != nil }) else { return nil }
        return Numbers(stage: stage.name, output: port.name, artifacts: found)
      }
    }
  }
}
