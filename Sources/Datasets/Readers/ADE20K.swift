import Determinism
import Panoptic
import Vision

/// ADE20K, made into a panoptic data set in COCO's layout: 100 classes of things, 50 of stuff.
///
/// Every object becomes a segment of its scene-parsing class, whatever scene parsing says at its pixels. All other
/// pixels of a stuff class become one segment; those of a thing class, which belong to no object, and those of class 0
/// become void.
public struct ADE20K: Sendable {
  private let files: any FileTree
  private let layout: Layout

  public init(files: any FileTree, layout: Layout = .challenge) {
    self.files = files
    self.layout = layout
  }

  /// Which classes the converted data set has.
  public enum Classes: String, Codable, Hashable, Sendable, CaseIterable {
    /// All 150.
    case all
    /// Those that occur in a picture of either part: so that the heads of a small network have no dead outputs.
    case present
  }

  /// ADE20K's names of the two parts, where COCO has them, and what is added to the number in a file's name to make the
  /// image's id: the parts must not share ids.
  static let parts = [
    (name: "training", coco: PanopticLayout.coco.training, base: 0),
    (name: "validation", coco: PanopticLayout.coco.validation, base: 500_000),
  ]

  /// Writes the data set under `target`, pictures copied as they are; segments keep the class numbers 1...150.
  ///
  /// - Returns: what was left out, with a count and an example: a sentence each.
  /// - Throws: `DatasetError` and `ImageError` naming the file that is missing, damaged or contradicts another.
  @discardableResult
  public func convert(to target: String, classes: Classes = .all) throws -> [String] {
    var notes: [String] = []
    var converted: [(coco: PanopticPart, entries: [Entry])] = []
    for part in ADE20K.parts {
      let list = try ADE20KFiles(part.name, layout, in: files)
      notes += list.notes
      try FileIO.makeFolder("\(target)/\(part.coco.images)")
      try FileIO.makeFolder("\(target)/\(part.coco.labels)")
      let entries = try Parallel.throwingMap(list.pictures.count) { i in
        try convert(list.pictures[i], to: target, part.coco, base: part.base)
      }
      converted.append((part.coco, entries))
    }
    let present = converted.reduce(into: Set<Int>()) { all, part in
      for entry in part.entries { all.formUnion(entry.classes) }
    }
    let categories = ADE20K.categories { classes == .all || present.contains($0) }
    for part in converted {
      let document: CanonicalValue = [
        "images": .array(part.entries.map(\.image)), "annotations": .array(part.entries.map(\.annotation)),
        "categories": categories,
      ]
      try FileIO.write(document.canonicalBytes, to: "\(target)/\(part.coco.index)")
    }
    return notes
  }

  private static func categories(_ isWanted: (Int) -> Bool) -> CanonicalValue {
    .array(
      ADE20KClasses.names.enumerated().filter { isWanted($0.offset + 1) }.map { i, name in
        ["id": .integer(i + 1), "name": .string(name), "isthing": ADE20KClasses.isThing[i + 1] ? 1 : 0]
      })
  }

  private struct Entry {
    let image: CanonicalValue
    let annotation: CanonicalValue
    let classes: Set<Int>
  }

  private func map(of picture: ADE20KFiles.Picture) throws -> ADE20KMap {
    switch layout {
    case .challenge:
      let (classes, objects) = (picture.annotations[0], picture.annotations[1])
      return try ADE20KMap(
        classes: EncodedImage(classes, in: files).indices(), at: files.place(classes),
        objects: EncodedImage(objects, in: files).labels(), at: files.place(objects))
    case .full: return ADE20KMap(full: try EncodedImage(picture.annotations[0], in: files).labels())
    }
  }

  private func convert(
    _ picture: ADE20KFiles.Picture, to target: String, _ coco: PanopticPart, base: Int
  ) throws -> Entry {
    let map = try map(of: picture)
    let id = base + picture.number
    let file = picture.path.lastPathComponent
    let labels = "\(file.withoutEnding).png"
    let bytes = try files.read(picture.path, limit: ImageFile.maximalBytes)
    let size = try EncodedImage(bytes, place: files.place(picture.path))
    guard size.width == map.labels.width, size.height == map.labels.height else {
      throw DatasetError(
        .mismatch, at: files.place(picture.path),
        "is \(size.width)×\(size.height) pixels, its annotation \(map.labels.width)×\(map.labels.height)")
    }
    try FileIO.write(bytes, to: "\(target)/\(coco.images)/\(file)")
    try PNGWriter.write(map.labels, to: "\(target)/\(coco.labels)/\(labels)")
    let segments = map.segments.map { s -> CanonicalValue in
      [
        "id": .integer(Int(s.id)), "category_id": .integer(s.category), "area": .integer(s.area), "iscrowd": 0,
        "bbox": [.integer(s.x0), .integer(s.y0), .integer(s.x1 - s.x0 + 1), .integer(s.y1 - s.y0 + 1)],
      ]
    }
    return Entry(
      image: [
        "id": .integer(id), "file_name": .string(file), "width": .integer(map.labels.width),
        "height": .integer(map.labels.height),
      ],
      annotation: ["image_id": .integer(id), "file_name": .string(labels), "segments_info": .array(segments)],
      classes: Set(map.segments.map(\.category)))
  }
}
