import Datasets
import Foundation
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
  static let version = 1
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
    let data = try PanopticDataset(cocoRoot: context.input("data").path, part: "val2017")
    let guess = context.input("predictions").path + "/panoptic_val2017"
    let predictions = try PanopticAnnotations(contentsOf: guess + ".json", role: .prediction)
    try context.write("figures") { folder in
      for sample in data.samples.prefix(parameters.count) {
        try context.checkCancelled()
        let picture = try PanopticPicture(sample, categories: data.categories)
        let truth = PanopticSegmentation(map: picture.labelImage, segments: sample.annotation.segments)
        guard let annotation = predictions.annotations.first(where: { $0.imageID == sample.id }) else {
          throw SearchSizeError(description: "\(guess).json: no prediction of image \(sample.id)")
        }
        let map = try ImageFile.readLabelPNG(path: guess + "/" + annotation.fileName)
        let panels = [
          picture.image, overlay(truth, on: picture.image, categories: data.categories),
          overlay(
            PanopticSegmentation(map: map, segments: annotation.segments), on: picture.image,
            categories: data.categories),
        ]
        let name = URL(fileURLWithPath: sample.annotation.fileName).deletingPathExtension().lastPathComponent
        try PNGWriter.write(DrawPredictionsStage.sideBySide(panels), to: "\(folder)/\(name).png")
      }
    }
  }

  private func overlay(_ segmentation: PanopticSegmentation, on image: Image, categories: CategoryTable) -> Image {
    let coloured = segmentation.colored(categories).map
    var pixels = image.pixels
    func id(_ x: Int, _ y: Int) -> UInt32 { coloured.ids[y * image.width + x] }
    for y in 0..<image.height {
      for x in 0..<image.width where id(x, y) != 0 {
        let isEdge =
          x + 1 < image.width && id(x + 1, y) != id(x, y) || y + 1 < image.height && id(x, y + 1) != id(x, y)
        for channel in 0..<3 {
          let place = (y * image.width + x) * 3 + channel
          let colour = Int(id(x, y) >> (8 * channel) & 255)
          pixels[place] = isEdge ? 255 : UInt8((Int(pixels[place]) + 2 * colour + 1) / 3)
        }
      }
    }
    return Image(width: image.width, height: image.height, channels: 3, pixels: pixels)
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
