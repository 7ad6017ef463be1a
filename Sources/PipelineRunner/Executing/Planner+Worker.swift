import Determinism
import PipelineModel

extension Planner {
  /// A worker that knows the stages of the pipeline, and the folders of sources that were looked at.
  package func worker(knowing trees: [Digest: SourceTree]) -> Worker {
    let nodes = Dictionary(pipeline.stages.map { ($0.name, $0) }, uniquingKeysWith: { a, _ in a })
    return Worker(store: store, host: host, interruption: interruption, trees: trees) { order in
      nodes[StageAddress.stage(ofInstance: order.stage)]
    }
  }
}
