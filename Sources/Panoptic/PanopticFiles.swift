import Determinism
import Foundation
import Vision

/// Reads and writes the PNGs that belong to a COCO panoptic JSON file.
public enum PanopticFiles {
  /// The map of one annotation, checked against its segments and, where known, the image's size.
  /// - Throws: `ImageError` or `PanopticError`.
  public static func read(
    _ annotation: PanopticAnnotation, folder: String, jsonFile: String, categories: CategoryTable?,
    size: (width: Int, height: Int)? = nil
  ) throws -> PanopticSegmentation {
    var segmentation = PanopticSegmentation(map: LabelImage(width: 0, height: 0, ids: []), segments: [])
    try readUnchecked(annotation, folder: folder, size: size, into: &segmentation)
    try segmentation.validate(categories: categories, place: place(annotation, folder: folder, jsonFile: jsonFile))
    return segmentation
  }

  /// Names a map and its list of segments in errors.
  static func place(_ annotation: PanopticAnnotation, folder: String, jsonFile: String) -> String {
    "\(folder)/\(annotation.fileName) and \(jsonFile)"
  }

  /// The map of one annotation, of the right size, not yet checked against its segments.
  /// - Parameter segmentation: gets both; its memory is used again.
  static func readUnchecked(
    _ annotation: PanopticAnnotation, folder: String, size: (width: Int, height: Int)?,
    into segmentation: inout PanopticSegmentation
  ) throws {
    let path = folder + "/" + annotation.fileName
    try segmentation.map.read(path: path)
    segmentation.segments = annotation.segments
    let map = segmentation.map
    if let size, size != (map.width, map.height) {
      throw PanopticError(
        .wrongSize, at: path,
        "the PNG is \(map.width)×\(map.height) pixels, the image \(annotation.imageID) \(size.width)×\(size.height)")
    }
  }

  /// Writes segmentations as one JSON file and a folder of PNGs, in the form that panopticapi reads.
  ///
  /// Areas and bounding boxes are measured; file names are those of the images with the ending `.png`. The bytes
  /// depend on the arguments alone.
  /// - Parameter folder: must exist.
  /// - Throws: `PanopticError` or `ImageError`; the JSON file is written last, so it is there only if all PNGs are.
  public static func write(
    _ results: [(image: PanopticImage, segmentation: PanopticSegmentation)], categories: CategoryTable,
    json: String, folder: String
  ) throws {
    let annotations = Parallel.map(results.count) { i in
      Result { () throws -> PanopticAnnotation in
        let (image, segmentation) = (results[i].image, results[i].segmentation.measured())
        let name = (image.fileName as NSString).deletingPathExtension + ".png"
        try PNGWriter.write(segmentation.map, to: folder + "/" + name)
        return PanopticAnnotation(imageID: image.id, fileName: name, segments: segmentation.segments)
      }
    }
    let file = PanopticAnnotations(
      file: json, images: results.map(\.image), annotations: try annotations.map { try $0.get() },
      categories: categories)
    do {
      try Data(file.json.canonicalBytes).write(to: URL(fileURLWithPath: json), options: .atomic)
    } catch {
      throw PanopticError(.unwritable, at: json, "cannot write the file: \(error.localizedDescription)")
    }
  }
}
