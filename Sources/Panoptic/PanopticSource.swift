import Determinism
import Vision

/// Annotations, and the tree that holds their PNGs.
public struct PanopticSource: Sendable {
  public let annotations: PanopticAnnotations
  public let files: any FileTree
  /// Of the PNGs, in the tree; empty for its root.
  public let folder: String

  public init(annotations: PanopticAnnotations, files: any FileTree, folder: String) {
    (self.annotations, self.files, self.folder) = (annotations, files, folder)
  }

  /// Reads the annotations from the same tree.
  public init(index: String, labels: String, in files: any FileTree, role: PanopticAnnotations.Role) throws {
    self.init(annotations: try PanopticAnnotations(index, in: files, role: role), files: files, folder: labels)
  }

  /// A JSON file and a folder that somebody named.
  public init(json: String, folder: String, role: PanopticAnnotations.Role) throws {
    self.init(
      annotations: try PanopticAnnotations(contentsOf: json, role: role), files: try FolderTree(folder), folder: "")
  }

  /// Of an annotation's PNG, in the tree.
  public func path(_ annotation: PanopticAnnotation) -> String {
    folder.isEmpty ? annotation.fileName : "\(folder)/\(annotation.fileName)"
  }

  /// Names the PNG in errors.
  public func place(_ annotation: PanopticAnnotation) -> String { files.place(path(annotation)) }

  /// Names a map and its list of segments in errors.
  func places(_ annotation: PanopticAnnotation) -> String { "\(place(annotation)) and \(annotations.file)" }

  /// The map of one annotation, checked against its segments and, where known, the image's size.
  /// - Throws: `ImageError` or `PanopticError`; what the tree throws for a file that changed.
  public func read(
    _ annotation: PanopticAnnotation, categories: CategoryTable?, size: (width: Int, height: Int)? = nil
  ) throws -> PanopticSegmentation {
    var segmentation = PanopticSegmentation(map: LabelImage(width: 0, height: 0, ids: []), segments: [])
    try readUnchecked(annotation, size: size, into: &segmentation)
    try segmentation.validate(categories: categories, place: places(annotation))
    return segmentation
  }

  /// The map of one annotation, of the right size, not yet checked against its segments.
  /// - Parameter segmentation: gets both; its memory is used again.
  func readUnchecked(
    _ annotation: PanopticAnnotation, size: (width: Int, height: Int)?, into segmentation: inout PanopticSegmentation
  ) throws {
    let path = path(annotation)
    guard files.contains(path) else {
      throw PanopticError(
        .unreadable, at: place(annotation),
        "no such file; the annotation of image \(annotation.imageID) in \(annotations.file) needs it")
    }
    try segmentation.map.decode(EncodedImage(path, in: files))
    segmentation.segments = annotation.segments
    let map = segmentation.map
    if let size, size != (map.width, map.height) {
      throw PanopticError(
        .wrongSize, at: place(annotation),
        "the PNG is \(map.width)×\(map.height) pixels, the image \(annotation.imageID) \(size.width)×\(size.height)")
    }
  }

  /// Says how many PNGs of the folder belong to no annotation, with an example; nil where all do.
  public var unusedFiles: String? {
    let used = Set(annotations.annotations.map { ByteName($0.fileName) })
    let unused = files.paths(below: folder).filter { $0.hasEnding(".png") && !used.contains(ByteName($0)) }
    guard let first = unused.first else { return nil }
    return "\(files.place(folder)): \(counted(unused.count, "PNG file")) without annotation in \(annotations.file), "
      + "such as \(first); not looked at"
  }
}

/// Such as `1 image` and `3 images`.
public func counted(_ number: Int, _ noun: String) -> String { "\(number) \(noun)\(number == 1 ? "" : "s")" }
