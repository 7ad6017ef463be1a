import Datasets
import Determinism
import Panoptic
import Pipelines
import Vision

/// Supplement, Figures 2 and 3: image, ground truth and prediction side by side, as PNG.
struct DrawPredictionsStage: Stage {
  struct Parameters: StageParameters {
    /// Pictures: the first of the validation images.
    var count = 12
    init() {}
  }

  static let name = "draw-predictions"
  static let version = 2
  static let summary = "draws images, ground truths and predictions side by side (supplement, Figures 2 and 3)"
  static let inputs = [InputPort("data", "tree"), InputPort("predictions", "tree")]
  static let outputs = [OutputPort("figures", "tree")]
  static let traits = Traits.decoding

  let parameters: Parameters

  init(parameters: Parameters) throws {
    guard parameters.count > 0 else { throw ParameterError("count", "must be at least 1") }
    self.parameters = parameters
  }

  func run(in context: StageContext) throws {
    let data = try context.panopticData(PanopticLayout.coco.validation)
    let predictions = try PanopticSource(
      index: PanopticLayout.coco.predictions.index, labels: PanopticLayout.coco.predictions.labels,
      in: context.input("predictions").tree,
      role: .prediction)
    let samples = data.samples.prefix(parameters.count)
    let names = try PanopticWriter.names(of: data.samples.map(\.image))
    try context.write("figures") { folder in
      for (sample, name) in zip(samples, names) {
        try context.checkCancelled()
        let picture = try PanopticPicture(sample, categories: data.categories)
        let truth = PanopticSegmentation(map: picture.labelImage, segments: sample.annotation.segments)
        guard let annotation = predictions.annotations.annotations.first(where: { $0.imageID == sample.id }) else {
          throw StageInputError(description: "\(predictions.annotations.file): no prediction of image \(sample.id)")
        }
        let guessed = try predictions.read(
          annotation, categories: data.categories, size: (sample.image.width, sample.image.height))
        let panels =
          [picture.image] + [truth, guessed].map { $0.colored(data.categories).overlay(on: picture.image) }
        if !name.folderPath.isEmpty { try FileIO.makeFolder("\(folder)/\(name.folderPath)") }
        try PNGWriter.write(DrawPredictionsStage.sideBySide(panels), to: "\(folder)/\(name)")
      }
    }
  }

  /// Panels of one size in a row, white between them.
  private static func sideBySide(_ panels: [Image]) -> Image {
    let gap = 4
    let (width, height) = (panels[0].width, panels[0].height)
    let total = panels.count * width + (panels.count - 1) * gap
    var pixels = [UInt8](repeating: 255, count: total * height * 3)
    for (i, panel) in panels.enumerated() {
      for y in 0..<height {
        let start = (y * total + i * (width + gap)) * 3
        pixels.replaceSubrange(start..<start + width * 3, with: panel.pixels[y * width * 3..<(y + 1) * width * 3])
      }
    }
    return Image(width: total, height: height, channels: 3, pixels: pixels)
  }
}
