import Markup
import PipelineDrawing
import PipelineRunner

/// The pipeline as a picture.
struct GraphSection {
  let subject: ReportSubject

  /// With more stages, a picture says nothing any more.
  private static let mostStages = 300

  var section: ReportSection {
    let plan = subject.plan
    guard plan.stages.count <= GraphSection.mostStages else {
      return ReportSection(
        .graph, id: "graph", title: "Pipeline",
        [HTML.paragraph("\(plan.stages.count) stages are too many for a picture; the stages are listed below.")])
    }
    let counts = [Plan.State.cached, .partial, .stale, .missing, .failed, .waiting].compactMap { state in
      let count = plan.stages.count { $0.state == state }
      return count > 0 ? "\(count) \(state.rawValue)" : nil
    }
    let title = "Graph of the \(plan.stages.count) stages: \(counts.joined(separator: ", "))"
    let picture = MarkupNode(
      "div", [("class", "scroll graph"), ("tabindex", "0"), ("role", "region"), ("aria-label", "Graph of the stages")],
      [GraphDrawing(plan).inline(title: title)])
    let caption = MarkupNode(
      "figcaption", [],
      ["Each box is a stage with its kind and state; stacked boxes stand for several instances. Arrows are artifacts."])
    return ReportSection(.graph, id: "graph", title: "Pipeline", [MarkupNode("figure", [], [picture, caption])])
  }
}
