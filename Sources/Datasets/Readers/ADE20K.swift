import Determinism
import Panoptic
import Vision

/// ADE20K as the Places Challenge 2017 published it, made into a panoptic data set in COCO's layout.
///
/// Read, for `training` and `validation`: `images/<part>/*.jpg` (or `.png`); `annotations/<part>/*.png`, whose values are classes
/// of scene parsing, 0 for everything else; and `annotations_instance/<part>/*.png`, whose red channel is the class of
/// the instance track and whose green channel is the number of the object inside the image.
///
/// Every object becomes a segment of its scene-parsing class, whatever scene parsing says at its pixels. All other
/// pixels of a stuff class become one segment; those of a thing class, which belong to no object, and those of class 0
/// become void.
public struct ADE20K: Sendable {
  private let root: String

  public init(root: String) { self.root = root }

  /// Which classes the converted data set has.
  public enum Classes: String, Codable, Hashable, Sendable, CaseIterable {
    /// All 150.
    case all
    /// Those that occur in a picture of either part: so that the heads of a small network have no dead outputs.
    case present
  }

  /// What its folder must hold.
  public static let contents = ["images", "annotations", "annotations_instance"].flatMap { folder in
    parts.map { "\(folder)/\($0.name)" }
  }

  /// ADE20K's names of the two parts, COCO's, and what is added to the number in a file's name to make the image's id:
  /// the parts must not share ids.
  static let parts = [
    (name: "training", coco: "train2017", base: 0), (name: "validation", coco: "val2017", base: 500_000),
  ]

  /// Writes the data set under `target`, pictures copied as they are; segments keep the class numbers 1...150.
  ///
  /// - Throws: `DatasetError` and `ImageError` naming the file that is missing, damaged or contradicts another.
  public func convert(to target: String, classes: Classes = .all) throws {
    var converted: [(coco: String, entries: [Entry])] = []
    for part in ADE20K.parts {
      let images = "\(root)/images/\(part.name)"
      let names = try Folder.names(in: images).filter { $0.hasSuffix(".jpg") || $0.hasSuffix(".png") }
      guard !names.isEmpty else { throw DatasetError(.empty, at: images, "no pictures") }
      try Folder.create("\(target)/\(part.coco)")
      try Folder.create("\(target)/annotations/panoptic_\(part.coco)")
      let entries = try Folder.inParallel(names.count) { i in
        try convert(names[i], part.name, to: target, part.coco, base: part.base)
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
    let things = Set(ADE20KClasses.things)
    return .array(
      ADE20KClasses.names.enumerated().filter { isWanted($0.offset + 1) }.map { i, name in
        ["id": .integer(i + 1), "name": .string(name), "isthing": things.contains(i + 1) ? 1 : 0]
      })
  }

  private struct Entry {
    let image: CanonicalValue
    let annotation: CanonicalValue
    let classes: Set<Int>
  }

  private func convert(
    _ file: String, _ part: String, to target: String, _ coco: String, base: Int
  ) throws -> Entry {
    let name = String(file.dropLast(4))
    let picture = "\(root)/images/\(part)/\(file)"
    guard let number = Int(name.split(separator: "_").last ?? ""), (1..<500_000).contains(number) else {
      throw DatasetError(.malformed, at: picture, "expected a name such as ADE_train_00000001.jpg")
    }
    let classesPath = "\(root)/annotations/\(part)/\(name).png"
    let objectsPath = "\(root)/annotations_instance/\(part)/\(name).png"
    let map = try ADE20KMap(
      classes: ImageFile.readIndices(path: classesPath), at: classesPath,
      objects: ImageFile.readLabelPNG(path: objectsPath), at: objectsPath)

    let id = base + number
    let labels = "\(name).png"
    try Folder.write(try Folder.read(picture), to: "\(target)/\(coco)/\(file)")
    try PNGWriter.write(map.labels, to: "\(target)/annotations/panoptic_\(coco)/\(labels)")
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

/// One image's segments.
struct ADE20KMap {
  struct Segment {
    var id: UInt32
    /// Class of scene parsing, 1...150.
    var category: Int
    var area = 0
    var x0 = Int.max
    var y0 = Int.max
    var x1 = 0
    var y1 = 0

    mutating func add(_ x: Int, _ y: Int) {
      area += 1
      (x0, x1) = (min(x0, x), max(x1, x))
      (y0, y1) = (min(y0, y), max(y1, y))
    }
  }

  private(set) var labels: LabelImage
  /// Stuff by class, then objects by number; ids count from 1.
  let segments: [Segment]

  /// - Throws: `DatasetError` where the two maps differ in size, name a class that does not exist, or give one object
  ///   two classes.
  init(classes: Image, at classesPath: String, objects: LabelImage, at objectsPath: String) throws {
    let (width, height) = (classes.width, classes.height)
    guard objects.width == width && objects.height == height else {
      throw DatasetError(
        .mismatch, at: objectsPath,
        "has \(objects.width)×\(objects.height) pixels, \(classesPath) has \(width)×\(height)")
    }
    let isThing = Set(ADE20KClasses.things)
    var stuff = [Segment?](repeating: nil, count: 256)
    var things = [Segment?](repeating: nil, count: 256)
    // 0 void, 1...150 stuff of that class, 256 + number an object.
    var keys = [UInt16](repeating: 0, count: width * height)
    for y in 0..<height {
      for x in 0..<width {
        let i = y * width + x
        let (red, number) = (Int(objects.ids[i] & 255), Int(objects.ids[i] >> 8 & 255))
        if number > 0 {
          guard (1...ADE20KClasses.things.count).contains(red) else {
            throw DatasetError(
              .unknown, at: objectsPath, "object \(number) at (\(x), \(y)) has class \(red) of 1...100")
          }
          let category = ADE20KClasses.things[red - 1]
          var segment = things[number] ?? Segment(id: 0, category: category)
          guard segment.category == category else {
            throw DatasetError(
              .mismatch, at: objectsPath, "object \(number) has two classes, the second at (\(x), \(y))")
          }
          segment.add(x, y)
          things[number] = segment
          keys[i] = UInt16(256 + number)
          continue
        }
        let category = Int(classes.pixels[i])
        guard category <= ADE20KClasses.names.count else {
          throw DatasetError(.unknown, at: classesPath, "class \(category) at (\(x), \(y)) of 0...150")
        }
        if category == 0 || isThing.contains(category) { continue }
        var segment = stuff[category] ?? Segment(id: 0, category: category)
        segment.add(x, y)
        stuff[category] = segment
        keys[i] = UInt16(category)
      }
    }
    var idOfKey = [UInt32](repeating: 0, count: 512)
    var all: [Segment] = []
    for (key, segment) in (stuff + things).enumerated() {
      guard var segment else { continue }
      segment.id = UInt32(all.count + 1)
      idOfKey[key] = segment.id
      all.append(segment)
    }
    segments = all
    labels = LabelImage(width: width, height: height, ids: keys.map { idOfKey[Int($0)] })
  }
}
