import Determinism
import PipelineRunner

/// A drawing of a pipeline: one box per stage, coloured by its state; the instances of a fanned-out stage share a box.
public struct GraphDrawing: Sendable {
  struct Node {
    let name: String
    let kind: String
    let state: Plan.State
    /// The state in words, with counts.
    let text: String
    let isFannedOut: Bool
    /// How much of it is done; nil where that is all or nothing.
    let fraction: Double?
  }

  struct Edge {
    let from: Int
    let to: Int
    /// The outputs that go along, such as `weights`.
    let label: String
    /// Whether they come from earlier rounds of a loop; such edges lead upward.
    let isOfEarlierRounds: Bool
  }

  let title: String
  let nodes: [Node]
  let edges: [Edge]

  public init(_ plan: Plan) {
    title = plan.pipeline
    nodes = plan.stages.map(GraphDrawing.node)
    let places = Dictionary(uniqueKeysWithValues: plan.stages.enumerated().map { ($0.element.name, $0.offset) })
    edges = plan.stages.enumerated().flatMap { to, stage in
      [false, true].flatMap { isEarlier in
        let needs = stage.needs.filter { places[$0.stage] != nil && $0.isOfEarlierRounds == isEarlier }
        return Dictionary(grouping: needs, by: \.stage).sorted { $0.key.precedesInBytes($1.key) }.map { source, needs in
          let outputs = Set(needs.map(\.output)).sortedByBytes().joined(separator: ", ")
          return Edge(from: places[source]!, to: to, label: outputs, isOfEarlierRounds: isEarlier)
        }
      }
    }
  }

  private static func node(_ stage: Plan.StagePlan) -> Node {
    let done = stage.instances.count { $0.state == .cached }
    var text = stage.state.rawValue
    var fraction: Double?
    if stage.isFannedOut {
      if let count = stage.count {
        text = done == count ? "\(count) cached" : "\(done) of \(count) cached"
        if stage.state == .failed { text += ", \(stage.instances.count { $0.state == .failed }) failed" }
        if done > 0, done < count { fraction = Double(done) / Double(count) }
      }
    } else if let checkpoint = stage.instances.first?.checkpoint {
      text += ", step \(checkpoint.step) of \(checkpoint.of)"
      fraction = max(0, min(1, Double(checkpoint.step) / Double(max(1, checkpoint.of))))
    }
    return Node(
      name: stage.name, kind: stage.kind, state: stage.state, text: text, isFannedOut: stage.isFannedOut,
      fraction: fraction)
  }

  /// Fill and line of a state, readable without the colour too: every box says its state.
  static func colors(_ state: Plan.State) -> (fill: String, line: String) {
    switch state {
    case .cached: ("#dcf3dc", "#2f7d32")
    case .partial: ("#d9e8fb", "#1c62b9")
    case .stale: ("#fdeecb", "#a86b00")
    case .missing: ("#f4f4f4", "#777777")
    case .failed: ("#fbdcdc", "#b3261e")
    case .waiting: ("#ffffff", "#9a9a9a")
    }
  }

  // MARK: DOT

  /// For Graphviz.
  public var dot: String {
    var lines = [
      "digraph \(GraphDrawing.quoted(title)) {",
      "  node [shape=box, style=\"rounded,filled\", fontname=\"sans-serif\", fontsize=11];",
      "  edge [fontname=\"sans-serif\", fontsize=9, color=\"#777777\"];",
    ]
    for node in nodes {
      let (fill, line) = GraphDrawing.colors(node.state)
      let label = GraphDrawing.quoted([node.name, node.kind, node.text].joined(separator: "\n"))
      let style = node.state == .waiting ? "rounded,filled,dashed" : "rounded,filled"
      let many = node.isFannedOut ? ", peripheries=2" : ""
      lines.append(
        "  \(GraphDrawing.quoted(node.name)) [label=\(label), fillcolor=\"\(fill)\", color=\"\(line)\", style=\"\(style)\"\(many)];"
      )
    }
    for edge in edges {
      let ends = "\(GraphDrawing.quoted(nodes[edge.from].name)) -> \(GraphDrawing.quoted(nodes[edge.to].name))"
      lines.append(
        "  \(ends) [label=\(GraphDrawing.quoted(edge.label))\(edge.isOfEarlierRounds ? ", style=dashed, constraint=false" : "")];"
      )
    }
    return (lines + ["}"]).joined(separator: "\n") + "\n"
  }

  private static func quoted(_ text: String) -> String {
    // Control characters first, since their escapes have backslashes; those are then text for Graphviz.
    let lines = text.printable.replacingScalars(["\\": "\\\\", "\"": "\\\"", "\n": "\\n", "\t": " "])
    return "\"\(lines)\""
  }
}
