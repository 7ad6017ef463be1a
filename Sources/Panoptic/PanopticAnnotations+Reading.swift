extension PanopticAnnotations {
  /// What a file must hold.
  public enum Role: Sendable {
    /// Images with their sizes, categories, and area and crowd flag of every segment.
    case groundTruth
    /// Annotations; of a segment only id and category. The rest is checked where present.
    case prediction
  }

  /// Reads and checks a COCO panoptic JSON file.
  /// - Throws: `PanopticError` that names file and place in it.
  public init(contentsOf file: String, role: Role = .groundTruth) throws {
    let document = try JSONCursor(contentsOf: file)
    let isTruth = role == .groundTruth
    let categories =
      isTruth
      ? try CategoryTable(document.member("categories"))
      : try document.optional("categories").map { try CategoryTable($0) }
    let imageList = isTruth ? try document.member("images") : try document.optional("images")
    let images = try imageList.map { try PanopticAnnotations.images($0, needsSize: isTruth) } ?? []
    let annotations = try PanopticAnnotations.annotations(
      document.member("annotations"), role: role, images: imageList == nil ? nil : Set(images.map(\.id)),
      categories: isTruth ? categories : nil)
    self.init(file: file, images: images, annotations: annotations, categories: categories)
  }

  private static func images(_ list: JSONCursor, needsSize: Bool) throws -> [PanopticImage] {
    var seen = Set<ImageID>()
    return try list.elements().map { element in
      let id = try element.member("id").imageID()
      guard seen.insert(id).inserted else {
        throw try element.member("id").error(.duplicateID, "two images have the id \(id)")
      }
      func side(_ name: String) throws -> Int {
        let limits = 1...1 << 20
        return needsSize
          ? try element.member(name).integer(in: limits) : try element.optional(name)?.integer(in: limits) ?? 0
      }
      return PanopticImage(
        id: id, fileName: try element.member("file_name").fileName(), width: try side("width"),
        height: try side("height"))
    }
  }

  private static func annotations(
    _ list: JSONCursor, role: Role, images: Set<ImageID>?, categories: CategoryTable?
  ) throws -> [PanopticAnnotation] {
    var seen = Set<ImageID>()
    return try list.elements().map { element in
      let id = try element.member("image_id").imageID()
      guard seen.insert(id).inserted else {
        throw try element.member("image_id").error(.duplicateID, "two annotations of the image \(id)")
      }
      if let images, !images.contains(id) {
        throw try element.member("image_id").error(.missingImage, "the image \(id) is not listed in 'images'")
      }
      var segmentIDs = Set<Int>()
      let segments = try element.member("segments_info").elements().map { segment in
        let info = try SegmentInfo(segment, role: role, categories: categories)
        guard segmentIDs.insert(info.id).inserted else {
          throw try segment.member("id").error(.duplicateID, "two segments of the image \(id) have the id \(info.id)")
        }
        return info
      }
      return PanopticAnnotation(
        imageID: id, fileName: try element.member("file_name").fileName(), segments: segments)
    }
  }
}

extension SegmentInfo {
  fileprivate init(_ segment: JSONCursor, role: PanopticAnnotations.Role, categories: CategoryTable?) throws {
    let isTruth = role == .groundTruth
    let id = try segment.member("id").integer(in: 1...0xff_ffff)
    let category = try segment.member("category_id").integer()
    if let categories, categories.index(ofID: category) == nil {
      throw try segment.member("category_id").error(
        .unknownCategory, "segment \(id) has category \(category), which is not in 'categories'")
    }
    let pixels = 0...Int(Int32.max)
    let area =
      isTruth ? try segment.member("area").integer(in: pixels) : try segment.optional("area")?.integer(in: pixels) ?? 0
    let isCrowd = isTruth ? try segment.member("iscrowd").flag() : try segment.optional("iscrowd")?.flag() ?? false
    let box = try segment.optional("bbox").map { (box: JSONCursor) throws -> [Int] in
      let sides = try box.elements().map { side in try side.number() }
      if sides.count != 4 || sides.contains(where: { $0.magnitude > 1e6 }) {
        throw box.error(.invalidValue, "a bounding box is x, y, width, height in pixels")
      }
      return sides.map { Int($0.rounded(.toNearestOrEven)) }
    }
    self.init(id: id, categoryID: category, area: area, isCrowd: isCrowd, boundingBox: box)
  }
}

extension JSONCursor {
  fileprivate func imageID() throws -> ImageID {
    if case .string(let text) = tree { return .text(text) }
    return .number(try integer())
  }

  /// A relative path that stays inside its folder.
  fileprivate func fileName() throws -> String {
    let name = try string()
    let leavesFolder = name.hasPrefix("/") || name.split(separator: "/").contains { $0 == ".." }
    if name.isEmpty || leavesFolder || name.utf8.contains(0 as UInt8) {
      throw error(.invalidValue, "'\(name)' is not the name of a file inside the folder")
    }
    return name
  }
}
