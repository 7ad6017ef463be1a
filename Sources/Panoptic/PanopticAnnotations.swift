import Determinism

/// The name of an image in annotation files: a number in COCO, a text in ADE20K. A number and the text of its digits
/// are two names; texts are equal where their bytes are.
public enum ImageID: Hashable, Sendable, CustomStringConvertible {
  case number(Int)
  case text(String)

  public static func == (a: ImageID, b: ImageID) -> Bool {
    switch (a, b) {
    case (.number(let a), .number(let b)): a == b
    case (.text(let a), .text(let b)): a.hasSameBytes(as: b)
    default: false
    }
  }

  public func hash(into hasher: inout Hasher) {
    switch self {
    case .number(let number): hasher.combine(number)
    case .text(let text): ByteName(text).hash(into: &hasher)
    }
  }

  /// Whether one is a number and the other a text of the same number.
  func isWritten(otherwiseThan other: ImageID) -> Bool {
    switch (self, other) {
    case (.number(let number), .text(let text)), (.text(let text), .number(let number)): Int(text) == number
    default: false
    }
  }

  public var description: String {
    switch self {
    case .number(let number): String(number)
    case .text(let text): text
    }
  }

  var json: CanonicalValue {
    switch self {
    case .number(let number): .integer(number)
    case .text(let text): .string(text)
    }
  }
}

/// An image of a data set.
public struct PanopticImage: Hashable, Sendable {
  public var id: ImageID
  /// Picture file, relative to the folder of images.
  public var fileName: String
  public var width: Int
  public var height: Int

  public init(id: ImageID, fileName: String, width: Int, height: Int) {
    (self.id, self.fileName, self.width, self.height) = (id, fileName, width, height)
  }
}

/// The segments of one image.
public struct PanopticAnnotation: Hashable, Sendable {
  public var imageID: ImageID
  /// Panoptic PNG, relative to the folder of annotations.
  public var fileName: String
  public var segments: [SegmentInfo]

  public init(imageID: ImageID, fileName: String, segments: [SegmentInfo]) {
    (self.imageID, self.fileName, self.segments) = (imageID, fileName, segments)
  }
}

/// A COCO panoptic JSON file: images, annotations and categories, all in file order.
public struct PanopticAnnotations: Hashable, Sendable {
  /// Where it came from; names it in errors.
  public var file: String
  /// Empty in predictions that list none.
  public var images: [PanopticImage]
  public var annotations: [PanopticAnnotation]
  /// Nil in predictions that list none.
  public var categories: CategoryTable?

  public init(
    file: String = "", images: [PanopticImage], annotations: [PanopticAnnotation], categories: CategoryTable?
  ) {
    (self.file, self.images, self.annotations, self.categories) = (file, images, annotations, categories)
  }

  var segmentCount: Int { annotations.reduce(0) { $0 + $1.segments.count } }

  /// The file as it is written: members sorted, no white space.
  public var json: CanonicalValue {
    var members: [String: CanonicalValue] = [
      "images": .array(
        images.map {
          [
            "id": $0.id.json, "file_name": .string($0.fileName), "width": .integer($0.width),
            "height": .integer($0.height),
          ]
        }),
      "annotations": .array(
        annotations.map {
          [
            "image_id": $0.imageID.json, "file_name": .string($0.fileName),
            "segments_info": .array($0.segments.map(\.json)),
          ]
        }),
    ]
    if let categories { members["categories"] = categories.json }
    return .object(members)
  }
}

extension SegmentInfo {
  var json: CanonicalValue {
    var members: [String: CanonicalValue] = [
      "id": .integer(id), "category_id": .integer(categoryID),
      "area": Int(exactly: area).map { .integer($0) } ?? .number(area), "iscrowd": .integer(isCrowd ? 1 : 0),
    ]
    if let boundingBox { members["bbox"] = .array(boundingBox.map { .integer($0) }) }
    return .object(members)
  }
}
