import Determinism
import PipelineModel

extension Planner {
  /// A worker that knows the stages of the pipeline, and the folders of sources that were looked at.
  package func worker(knowing trees: [Digest: SourceTree]) -> Worker {
    let nodes = Dictionary(pipeline.stages.map { ($0.name, $0) }, uniquingKeysWith: { a, _ in a })
    // Of a grid, which instance has which parameters.
    var slots = [String: [CanonicalValue: Int]]()
    for node in pipeline.stages where !node.variants.isEmpty {
      slots[node.name] = Dictionary(
        node.variants.enumerated().map { ($0.element.prepared.parameters, $0.offset) }, uniquingKeysWith: { a, _ in a })
    }
    return Worker(store: store, host: host, interruption: interruption, trees: trees) { [slots] order in
      let name = StageAddress.stage(ofInstance: order.stage)
      guard let node = nodes[name], !node.variants.isEmpty else { return nodes[name] }
      guard let slot = slots[name]?[order.identity.parameters] else { return nil }
      var alone = node.alone(slot)
      alone.seed = order.identity.seed ?? alone.seed
      return alone
    }
  }
}
