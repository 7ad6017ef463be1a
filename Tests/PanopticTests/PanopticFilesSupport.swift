import Determinism
import Panoptic

extension PanopticFiles {
  /// The map of one annotation out of a folder as it is now.
  static func read(
    _ annotation: PanopticAnnotation, folder: String, jsonFile: String, categories: CategoryTable?,
    size: (width: Int, height: Int)? = nil
  ) throws -> PanopticSegmentation {
    let annotations = PanopticAnnotations(file: jsonFile, images: [], annotations: [annotation], categories: nil)
    return try PanopticSource(annotations: annotations, files: FolderTree(folder), folder: "").read(
      annotation, categories: categories, size: size)
  }
}
