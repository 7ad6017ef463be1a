import ArtifactStore
import Determinism
import Markup
import PipelineModel
import PipelineRunner

/// What a report is about: a pipeline, and what its store has of it.
public struct ReportSubject {
  /// Larger values are not read: nobody reads them in a report.
  static let valueLimit = 8 << 20
  /// Instances of a stage that are described one by one.
  static let shownInstances = 60

  public let plan: Plan
  /// As in the plan.
  public let stages: [StageSummary]
  let planner: Planner
  let graph: Graph
  /// Numbers of stages in the pipeline, by name.
  private let places: [ByteName: Int]
  /// Where on the page artifacts are described, by their digests.
  private let anchors: [Digest: Anchor]

  /// The place of the first output of a content.
  private struct Anchor {
    let id: String
    let instance: String
    let output: String
  }

  var store: Store { planner.store }
  var pipeline: Pipeline { planner.pipeline }

  /// Looks at the store.
  public init(_ planner: Planner) throws {
    let survey = try planner.survey([])
    (graph, plan) = (survey.graph, planner.plan(by: survey))
    self.planner = planner
    let summaries = planner.pipeline.summaries
    stages = graph.wanted.map { summaries[$0] }
    places = Dictionary(
      graph.wanted.map { (ByteName(planner.pipeline.stages[$0].name), $0) }, uniquingKeysWith: { a, _ in a })
    var anchors = [Digest: Anchor]()
    for stage in graph.wanted {
      let done = graph.instances(of: stage).filter { $0.outputs != nil }
      for slot in done.prefix(ReportSubject.shownInstances) {
        for (output, artifact) in slot.outputs!.sorted(by: { $0.key.precedesInBytes($1.key) })
        where anchors[artifact.digest] == nil {
          anchors[artifact.digest] = Anchor(
            id: "id-\(artifact.digest.short)", instance: slot.instance!.name, output: output)
        }
      }
    }
    self.anchors = anchors
  }

  /// What each instance of a stage made as one of its outputs; nil where it has not. Empty where the number of
  /// instances is not known.
  public func artifacts(_ output: String, of stage: String) -> [(instance: String, artifact: Artifact?)] {
    guard let i = places[ByteName(stage)] else { return [] }
    return graph.instances(of: i).map { ($0.instance!.name, $0.outputs?[output]) }
  }

  /// Whether a stage reads an output.
  func isRead(_ output: String, of stage: String) -> Bool {
    guard let i = places[ByteName(stage)] else { return false }
    return pipeline.stages[i].dependents.contains { reader in
      pipeline.stages[reader].bindings.contains { $0.origin.map { $0.stage == i && $0.output == output } ?? false }
    }
  }

  /// The value of an artifact of JSON, verified.
  /// - Throws: where it is damaged, or too large for a report.
  public func value(of artifact: Artifact) throws -> CanonicalValue {
    let path = store.objectPath(artifact)
    let size = try Files.status(path).size
    guard size <= ReportSubject.valueLimit else {
      throw PipelineError(.badArtifact, "\(size) bytes, too many for a report")
    }
    return try store.value(of: artifact)
  }

  /// The ID of an artifact, which leads to the place that tells where it comes from.
  public func id(_ digest: Digest) -> MarkupNode {
    let code = MarkupNode("code", [("title", digest.hex)], text: digest.short)
    guard let anchor = anchors[digest] else { return code }
    return MarkupNode("a", [("class", "id"), ("href", "#\(anchor.id)")], [code])
  }

  /// The name of an artifact with its ID, which is what `show` takes.
  public func source(_ name: String, _ digest: Digest) -> [MarkupNode] {
    [HTML.code(name), " ", id(digest)]
  }

  /// The place that IDs of a content lead to, if it is this output.
  func anchor(_ digest: Digest, at output: String, of instance: String) -> String? {
    anchors[digest].flatMap {
      $0.instance.hasSameBytes(as: instance) && $0.output.hasSameBytes(as: output) ? $0.id : nil
    }
  }

  /// A message without the folders of this machine.
  func impersonal(_ text: String) -> String {
    var text = text
    let folder = Checkout.folder(ofFile: pipeline.file)
    for (place, name) in [(store.path, "STORE"), (folder, "FOLDER")] where place.count > 1 {
      text = text.replacing(place, with: name)
    }
    return text
  }
}
