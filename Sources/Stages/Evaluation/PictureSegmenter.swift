import Datasets
import Determinism
import Models
import Panoptic
import Pipelines
import Search
import TensorFiles
import Vision

/// A network from a store with everything needed to segment pictures: its architecture, its categories, and the sizes
/// and thresholds of its pipeline.
public struct PictureSegmenter {
  /// What the network is, for people.
  public let title: String
  public let categories: CategoryTable
  private let predictor: PanopticPredictor
  private let loading: PanopticLoading

  /// Pixels of the largest picture: masks are pasted at its own size.
  public static let maximalPixels = 40_000_000

  /// - Throws: `ImageError` for a picture too large or too thin to be segmented.
  public func requireSize(width: Int, height: Int, place: String) throws {
    try PictureSegmenter.requireSize(width: width, height: height, place: place)
    guard !loading.resize.isTooThin(width: width, height: height) else {
      throw ImageError(
        .tooLarge, at: place,
        "\(width)×\(height) pixels: too long and thin for a longest side of \(loading.resize.longestSide)")
    }
  }

  static func requireSize(width: Int, height: Int, place: String) throws {
    guard width.multipliedSaturated(by: height) <= maximalPixels else {
      throw ImageError(
        .tooLarge, at: place,
        "\(width)×\(height) pixels; at most \(maximalPixels) are segmented, so scale it down")
    }
  }

  private static let training = RetrainStage.name
  private static let prediction = PredictPanopticStage.name

  /// - Parameters:
  ///   - id: of the weights, of the record that made or used them, or a name such as `retrain.weights`; nil takes the
  ///     newest network of the store.
  ///   - categoryFile: a COCO JSON file with the categories; nil takes those of the data that the network learnt from.
  ///   - variables: with the folder of that data, where it is not in the store.
  ///   - operators: what the network may consist of.
  /// - Throws: `PipelineError` where there is no such network; what the files at fault throw.
  public init(
    _ id: String?, in lookup: Lookup, categoryFile: String?, variables: [String: String],
    operators: NetworkCatalog = .published
  ) throws {
    let execution = try PictureSegmenter.execution(id, in: lookup)
    guard
      let weights = execution.kind == PictureSegmenter.training
        ? execution.outputs["weights"]?.digest : execution.inputs["weights"],
      let path = try lookup.verifiedPath(of: weights)
    else { throw PipelineError(.badArtifact, "the record \(execution.key.short) names no weights") }
    let choices = try PanopticNetwork.configuration(fileAt: path, operators: operators).architecture(
      execution.inputs["architecture"].map { try lookup.verifiedValue(of: $0).decoded(as: Architecture.self) })
    let network = try PanopticNetwork.load(fileAt: path, content: .fixed(choices), operators: operators)
    let data = try execution.inputs["data"].flatMap { try lookup.verifiedPath(of: $0) }
    categories = try PictureSegmenter.categories(file: categoryFile, data: data, variables: variables)
    guard categories.things.count == network.thingClasses, categories.stuff.count == network.stuffClasses else {
      throw PipelineError(
        .badArtifact,
        "the network knows \(network.thingClasses) classes of things and \(network.stuffClasses) of stuff, the list "
          + "of categories \(categories.things.count) and \(categories.stuff.count); name the right one with --categories"
      )
    }
    // Retraining knows how pictures are resized; thresholds are then the published ones.
    func parameter<T: Decodable>(_ name: String, default value: T) throws -> T {
      try execution.parameters[name]?.decoded(as: T.self) ?? value
    }
    let input = try parameter("input", default: PanopticInput())
    try input.check(at: "input")
    loading = input.loading(batch: 1)
    predictor = PanopticPredictor(
      network: network, path: choices, categories: categories,
      fusion: try parameter("fusion", default: FusionParameters()).fusion)
    title = "weights \(weights.short) of stage '\(execution.stage)'"
  }

  /// The segments of a picture at its own size, in the colours of their categories.
  public func segmentation(of picture: Image, named image: PanopticImage) -> PanopticSegmentation {
    predictor.segmentation(of: PanopticBatch(picture, image: image, loading: loading)).colored(categories)
  }

  /// The execution that says most about the network: one that predicts with it, else the one that trained it.
  private static func execution(_ id: String?, in lookup: Lookup) throws -> ExecutionSummary {
    let kinds: Set<String> = [training, prediction]
    guard let id else {
      guard let newest = try lookup.executions(ofKinds: kinds).first else {
        throw PipelineError(
          .unknownID,
          "\(lookup.store.path): no trained network here; run a pipeline with the stages "
            + "'\(training)' and '\(prediction)', or choose another store with --store")
      }
      return newest
    }
    switch try lookup.find(id) {
    case .record(let key):
      let execution = try lookup.execution(key)
      guard kinds.contains(execution.kind) else {
        throw PipelineError(
          .unknownID, "'\(id)' is a record of stage kind '\(execution.kind)'; expected '\(training)' or '\(prediction)'"
        )
      }
      return execution
    case .artifact(let artifact):
      let around = try lookup.executions(ofKinds: kinds, around: artifact.digest).filter { execution in
        execution.inputs["weights"] == artifact.digest && execution.kind == prediction
          || execution.outputs["weights"] == artifact
      }
      guard let best = around.first(where: { $0.kind == prediction }) ?? around.first else {
        throw PipelineError(
          .unknownID,
          "'\(id)' is an artifact of kind '\(artifact.kind)', but not the weights of a trained panoptic network; look "
            + "for one with 'show retrain.weights'")
      }
      return best
    }
  }

  private static func categories(
    file: String?, data: String?, variables: [String: String]
  ) throws -> CategoryTable {
    if let file { return try CategoryTable(contentsOf: file) }
    let roots = [data, variables[CocoFolder.variable]].compactMap { $0 }
    for root in roots {
      for part in [PanopticLayout.coco.validation, PanopticLayout.coco.training] {
        let index = "\(root)/\(part.index)"
        if FileIO.kind(index) != nil { return try CategoryTable(contentsOf: index) }
      }
    }
    throw PipelineError(
      .missingSource,
      "the data that the network learnt from is not in the store; name its list of categories with --categories, such "
        + "as panoptic_coco_categories.json, or its folder with \(CocoFolder.variable)=")
  }
}
