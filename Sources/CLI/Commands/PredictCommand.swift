import ArgumentParser
import Determinism
import Panoptic
import Pipelines
import Stages
import Vision

struct Predict: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Segment your own images with a trained network.",
    discussion: """
      Writes COCO's panoptic format, panoptic.json and panoptic/NAME.png, and overlays/NAME.png for viewing. JPEG and
      PNG, recognised by their content; orientation tags are not applied, as in training.

      The network is that of the newest stage that trained or used one; --model names another: the ID of weights or of
      a record, or a name such as 'retrain.weights'.

      EXAMPLES:
        autopanoptic predict holiday.jpg
        autopanoptic predict *.jpg --model 3fa91c -o segmented
        autopanoptic predict street.png --categories panoptic_coco_categories.json
      """)

  @Argument(help: ArgumentHelp("Images.", valueName: "image"), completion: .file())
  var images: [String]

  @Option(help: ArgumentHelp("The network: an ID or a name (default: the newest).", valueName: "id"))
  var model: String?

  @Option(
    help: ArgumentHelp(
      "A COCO JSON file with the categories (default: those of the data that the network learnt from).",
      valueName: "file"))
  var categories: String?

  @Option(name: .shortAndLong, help: ArgumentHelp("The folder to write to.", valueName: "dir"))
  var output = "predictions"

  @OptionGroup var stores: StoreOptions
  @OptionGroup var machine: MachineOptions
  @OptionGroup var device: DeviceOptions

  func run() throws {
    try machine.apply()
    try device.apply()
    // Before the network is read: a folder that cannot be made needs none.
    try FileIO.makeFolder("\(output)/overlays")
    try FileIO.requirePublishable("\(output)/panoptic.json")
    var writer = try PanopticWriter(folder: "\(output)/panoptic")
    let segmenter = try PictureSegmenter(
      model, in: Lookup(store: try stores.openExisting()), categoryFile: categories, variables: try Variables.all([]))
    Output.error(segmenter.title)
    var names = Set<ByteName>()
    var failures = 0
    for path in images {
      do {
        let encoded = try EncodedImage(path: path)
        try segmenter.requireSize(width: encoded.width, height: encoded.height, place: path)
        let picture = try encoded.decoded()
        let name = uniqueName(of: path, &names)
        let image = PanopticImage(
          id: .number(writer.images.count + 1), fileName: name, width: picture.width, height: picture.height)
        let segmentation = segmenter.segmentation(of: picture, named: image)
        let png = name.withoutEnding + ".png"
        try PNGWriter.write(segmentation.overlay(on: picture), to: "\(output)/overlays/\(png)")
        try writer.add(segmentation, of: image, as: png)
        Output.line("\(path): \(summary(segmentation, segmenter.categories)); \(output)/overlays/\(png)")
      } catch let error as ImageError {
        Output.error(error.description)
        failures += 1
      }
    }
    try writer.finish(json: "\(output)/panoptic.json", categories: segmenter.categories)
    if failures > 0 { throw ExitCode(ExitCodes.badData) }
  }

  /// The file's name; where another picture has it already but for the ending, with a number.
  private func uniqueName(of path: String, _ names: inout Set<ByteName>) -> String {
    let file = path.lastPathComponent
    let ending = String(decoding: file.utf8.dropFirst(file.withoutEnding.utf8.count), as: UTF8.self)
    var stem = file.withoutEnding
    var number = 1
    while !names.insert(ByteName(stem)).inserted {
      number += 1
      stem = "\(file.withoutEnding)-\(number)"
    }
    return stem + ending
  }

  /// Such as `2 person, sky`.
  private func summary(_ segmentation: PanopticSegmentation, _ categories: CategoryTable) -> String {
    let parts = categories.categories.compactMap { category -> String? in
      let count = segmentation.segments.count { $0.categoryID == category.id }
      return count == 0 ? nil : count == 1 ? category.name : "\(count) \(category.name)"
    }
    return parts.isEmpty ? "nothing found" : parts.joined(separator: ", ")
  }
}
