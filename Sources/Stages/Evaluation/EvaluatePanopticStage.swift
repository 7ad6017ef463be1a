import Determinism
import Panoptic
import Pipelines

/// Panoptic quality of predictions on the validation images (method 10).
struct EvaluatePanopticStage: Stage {
  typealias Parameters = NoParameters

  static let name = "evaluate-panoptic"
  static let version = 2
  static let summary = "measures panoptic quality against the ground truth"
  static let inputs = [InputPort("data", "tree"), InputPort("predictions", "tree")]
  static let outputs = [OutputPort("quality", "json")]
  static let highlights = [
    Highlight("PQ", of: "quality", at: "All.pq", scale: 100), Highlight("SQ", of: "quality", at: "All.sq", scale: 100),
    Highlight("RQ", of: "quality", at: "All.rq", scale: 100),
    Highlight("PQ things", of: "quality", at: "Things.pq", scale: 100),
    Highlight("PQ stuff", of: "quality", at: "Stuff.pq", scale: 100),
  ]

  init(parameters: NoParameters) throws {}

  func run(in context: StageContext) throws {
    let (truth, guess) = (PanopticLayout.coco.validation, PanopticLayout.coco.predictions)
    let quality = try PanopticQuality(
      groundTruth: PanopticSource(
        index: truth.index, labels: truth.labels, in: context.input("data").tree, role: .groundTruth),
      prediction: PanopticSource(
        index: guess.index, labels: guess.labels, in: context.input("predictions").tree, role: .prediction))
    context.tell(quality.notes)
    context.log("PQ \((100 * quality.all.pq).text(digits: 2))")
    try context.write("quality", json: quality.json)
  }
}
