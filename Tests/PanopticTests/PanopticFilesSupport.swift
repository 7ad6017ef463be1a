import Determinism
import Panoptic

extension PanopticFiles {
  /// Reads the segmentation of one annotation from a folder.
  static func read(
    _ annotation: PanopticAnnotation, folder: String, jsonFile: String, categories: CategoryTable?,
    size: (width: Int, height: Int)? = nil
  ) throws -> PanopticSegmentation {
    let annotations = PanopticAnnotations(file: jsonFile, images: [], annotations: [annotation], categories: nil)
    return try PanopticSource(annotations: annotations, files: FolderTree(folder), folder: "").read(
      annotation, categories: categories, size: size)
  }
}
