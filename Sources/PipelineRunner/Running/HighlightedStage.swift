import ArtifactStore
import Determinism
import PipelineModel

/// The numbers of one stage that are shown at the end of a run.
public struct HighlightedStage: Sendable {
  public struct Number: Sendable {
    public let name: String
    /// Of a fanned-out stage the smallest and the largest of `count` instances.
    public let least: Double
    public let most: Double
    public let count: Int
  }

  public let stage: String
  public let numbers: [Number]

  /// `quality: PQ 12.3, SQ 45.6`.
  public var text: String {
    let parts = numbers.map { number in
      let least = HighlightedStage.text(number.least)
      return number.count == 1
        ? "\(number.name) \(least)"
        : "\(number.name) \(least) to \(HighlightedStage.text(number.most)) (\(number.count))"
    }
    return "\(stage): \(parts.joined(separator: ", "))"
  }

  /// Two decimals, as tables of results have them; more for small numbers.
  package static func text(_ value: Double) -> String {
    let digits = abs(value) >= 0.1 || value == 0 ? 100.0 : 1e6
    let rounded = (value * digits).rounded() / digits
    return abs(rounded) < 1e15 && rounded == rounded.rounded() ? "\(Int(rounded))" : "\(rounded)"
  }

  var events: [RunEvent] {
    numbers.map {
      .highlight(stage: stage, name: $0.name, least: $0.least, most: $0.most, count: $0.count)
    }
  }

  /// Numbers that are shown of one stage at most.
  private static let mostMetrics = 6

  /// The first metrics of a stage that runs once. Those of many instances are for 'compare': a run that has nothing to do
  /// reads no thousand files.
  private static func metrics(
    of node: Pipeline.StageNode, _ slots: [Graph.Slot], _ store: Store
  ) -> HighlightedStage? {
    guard slots.count == 1,
      let artifact = (slots[0].outputs ?? [:]).filter({ $0.value.kind == MetricsFormat.name }).min(by: {
        $0.key < $1.key
      })?.value,
      let value = try? store.value(of: artifact)
    else { return nil }
    let numbers = MetricsFormat.flat(value).compactMap { name, value in
      value.numberValue.map { Number(name: name, least: $0, most: $0, count: 1) }
    }
    return numbers.isEmpty ? nil : HighlightedStage(stage: node.name, numbers: Array(numbers.prefix(mostMetrics)))
  }

  /// The numbers of all complete stages; an artifact that can't be read has none.
  package static func all(in graph: Graph, store: Store) -> [HighlightedStage] {
    graph.wanted.compactMap { i in
      let node = graph.pipeline.stages[i]
      guard graph.isComplete(i) else { return nil }
      if node.kind.highlights.isEmpty {
        return node.isOneOfMany ? nil : metrics(of: node, graph.instances(of: i), store)
      }
      var values = [String: CanonicalValue]()
      let outputs = graph.instances(of: i).compactMap(\.outputs)
      let numbers = node.kind.highlights.compactMap { highlight -> Number? in
        let found = outputs.compactMap { outputs -> Double? in
          guard let artifact = outputs[highlight.output] else { return nil }
          let path = store.objectPath(artifact)
          if values[path] == nil, (try? store.verify(artifact)) != nil { values[path] = try? JSONFormat.read(path) }
          return values[path].flatMap(highlight.value)
        }
        guard let least = found.min(), let most = found.max() else { return nil }
        return Number(name: highlight.name, least: least, most: most, count: found.count)
      }
      return numbers.isEmpty ? nil : HighlightedStage(stage: node.name, numbers: numbers)
    }
  }
}
