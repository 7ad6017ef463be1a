import Determinism
import Panoptic
import Vision

/// ADE20K, made into a panoptic data set in COCO's layout: 100 classes of things, 50 of stuff.
///
/// Every object becomes a segment of its scene-parsing class, whatever scene parsing says at its pixels. All other
/// pixels of a stuff class become one segment; those of a thing class, which belong to no object, and those of class 0
/// become void.
public struct ADE20K: Sendable {
  private let root: String
  private let layout: Layout

  public init(root: String, layout: Layout = .challenge) {
    self.root = root
    self.layout = layout
  }

  /// Which classes the converted data set has.
  public enum Classes: String, Codable, Hashable, Sendable, CaseIterable {
    /// All 150.
    case all
    /// Those that occur in a picture of either part: so that the heads of a small network have no dead outputs.
    case present
  }

  /// The two forms in which ADE20K was published.
  public enum Layout: String, Codable, Hashable, Sendable, CaseIterable {
    /// Of the Places Challenge 2017, for `training` and `validation`: `images/<part>/*.jpg` (or `.png`);
    /// `annotations/<part>/*.png`, whose values are classes of scene parsing, 0 for everything else; and
    /// `annotations_instance/<part>/*.png`, whose red channel is the class of the instance track and whose green
    /// channel is the number of the object inside the image.
    case challenge
    /// The full data set of 2021: `images/ADE/<part>/<group>/<scene>/*.jpg`, each with a `_seg.png` beside it, whose red
    /// and green channels name one of some 3,000 classes and whose blue channel is the number of the object. Its
    /// `ADE_frame_*`, numbered on their own and in no challenge, are left out.
    case full

    /// The form that a folder with these files has.
    public init(ofFiles files: [String]) {
      self = files.contains { $0.hasPrefix("images/ADE/") } ? .full : .challenge
    }

    /// What the folder must hold.
    public var contents: [String] {
      switch self {
      case .challenge:
        ["images", "annotations", "annotations_instance"].flatMap { folder in
          ADE20K.parts.map { "\(folder)/\($0.name)" }
        }
      case .full: ADE20K.parts.map { "images/ADE/\($0.name)" }
      }
    }

    /// Whether a file of those folders is read: the full data set has parts of objects and hidden outlines as well.
    public func reads(_ path: String) -> Bool {
      switch self {
      case .challenge: return true
      case .full:
        let name = path.split(separator: "/").last ?? ""
        return ["ADE_train_", "ADE_val_"].contains(where: name.hasPrefix)
          && (name.hasSuffix(".jpg") || name.hasSuffix(ADE20K.segmentation))
      }
    }
  }

  /// ADE20K's names of the two parts, COCO's, and what is added to the number in a file's name to make the image's id:
  /// the parts must not share ids.
  static let parts = [
    (name: "training", coco: "train2017", base: 0), (name: "validation", coco: "val2017", base: 500_000),
  ]

  /// What a file of segments ends in, in the full data set.
  static let segmentation = "_seg.png"

  /// One picture of a part, by its path under the folder of the part's pictures.
  private struct Picture {
    let folder: String
    let path: String

    /// The name without the folders.
    var file: String { String(path.split(separator: "/").last ?? "") }
    var name: String { String(file.dropLast(4)) }
  }

  /// Writes the data set under `target`, pictures copied as they are; segments keep the class numbers 1...150.
  ///
  /// - Throws: `DatasetError` and `ImageError` naming the file that is missing, damaged or contradicts another.
  public func convert(to target: String, classes: Classes = .all) throws {
    var converted: [(coco: String, entries: [Entry])] = []
    for part in ADE20K.parts {
      let pictures = try pictures(of: part.name)
      try Folder.create("\(target)/\(part.coco)")
      try Folder.create("\(target)/annotations/panoptic_\(part.coco)")
      let entries = try Folder.inParallel(pictures.count) { i in
        try convert(pictures[i], part.name, to: target, part.coco, base: part.base)
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
      try Folder.write(document.canonicalBytes, to: "\(target)/annotations/panoptic_\(part.coco).json")
    }
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

  /// - Throws: `DatasetError` for none, or two of one name, which is what they are called in the new data set.
  private func pictures(of part: String) throws -> [Picture] {
    let folder = layout == .full ? "\(root)/images/ADE/\(part)" : "\(root)/images/\(part)"
    let paths = try layout == .full ? Folder.files(below: folder) : Folder.names(in: folder)
    let pictures = paths.filter {
      layout.reads($0) && ($0.hasSuffix(".jpg") || (layout == .challenge && $0.hasSuffix(".png")))
    }.map { Picture(folder: folder, path: $0) }
    guard !pictures.isEmpty else { throw DatasetError(.empty, at: folder, "no pictures") }
    var names = Set<String>()
    for picture in pictures where !names.insert(picture.name).inserted {
      throw DatasetError(.mismatch, at: "\(folder)/\(picture.path)", "a second picture of this name")
    }
    return pictures
  }

  private func map(of picture: Picture, _ part: String) throws -> ADE20KMap {
    switch layout {
    case .challenge:
      let classes = "\(root)/annotations/\(part)/\(picture.name).png"
      let objects = "\(root)/annotations_instance/\(part)/\(picture.name).png"
      return try ADE20KMap(
        classes: ImageFile.readIndices(path: classes), at: classes,
        objects: ImageFile.readLabelPNG(path: objects), at: objects)
    case .full:
      let path = "\(picture.folder)/\(picture.path.dropLast(4))\(ADE20K.segmentation)"
      return ADE20KMap(full: try ImageFile.readLabelPNG(path: path))
    }
  }

  private func convert(
    _ picture: Picture, _ part: String, to target: String, _ coco: String, base: Int
  ) throws -> Entry {
    let path = "\(picture.folder)/\(picture.path)"
    guard let number = Int(picture.name.split(separator: "_").last ?? ""), (1..<500_000).contains(number) else {
      throw DatasetError(.malformed, at: path, "expected a name such as ADE_train_00000001.jpg")
    }
    let map = try map(of: picture, part)
    let id = base + number
    let labels = "\(picture.name).png"
    try Folder.write(try Folder.read(path), to: "\(target)/\(coco)/\(picture.file)")
    try PNGWriter.write(map.labels, to: "\(target)/annotations/panoptic_\(coco)/\(labels)")
    let segments = map.segments.map { s -> CanonicalValue in
      [
        "id": .integer(Int(s.id)), "category_id": .integer(s.category), "area": .integer(s.area), "iscrowd": 0,
        "bbox": [.integer(s.x0), .integer(s.y0), .integer(s.x1 - s.x0 + 1), .integer(s.y1 - s.y0 + 1)],
      ]
    }
    return Entry(
      image: [
        "id": .integer(id), "file_name": .string(picture.file), "width": .integer(map.labels.width),
        "height": .integer(map.labels.height),
      ],
      annotation: ["image_id": .integer(id), "file_name": .string(labels), "segments_info": .array(segments)],
      classes: Set(map.segments.map(\.category)))
  }
}
