import Determinism

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
    try self.init(JSONCursor(contentsOf: file), role: role)
  }

  /// The same of a file of a tree.
  public init(_ path: String, in files: any FileTree, role: Role = .groundTruth) throws {
    try self.init(files.read(path), place: files.place(path), role: role)
  }

  /// The same of a text in memory.
  /// - Parameter place: names it in errors.
  public init(_ text: [UInt8], place: String, role: Role = .groundTruth) throws {
    try self.init(JSONCursor(text, place: place), role: role)
  }

  private init(_ document: JSONCursor, role: Role) throws {
    let isTruth = role == .groundTruth
    let categories =
      isTruth
      ? try CategoryTable(document.member("categories"))
      : try document.optional("categories").map { try CategoryTable($0) }
    let imageList = isTruth ? try document.member("images") : try document.optional("images")
    let images = try imageList.map { try PanopticAnnotations.images($0, needsSize: isTruth) } ?? []
    let annotations = try PanopticAnnotations.annotations(
      document.member("annotations"), role: role, images: imageList == nil ? nil : images,
      categories: isTruth ? categories : nil)
    self.init(file: document.file, images: images, annotations: annotations, categories: categories)
  }

  private static func images(_ list: JSONCursor, needsSize: Bool) throws -> [PanopticImage] {
    var ids = Set<ImageID>()
    var names = Set<ByteName>()
    return try list.elements().map { element in
      let id = try element.member("id").imageID()
      guard ids.insert(id).inserted else {
        throw try element.member("id").error(.duplicateID, "two images have the id \(id)")
      }
      let name = try element.fileName(among: &names, "images")
      func side(_ name: String) throws -> Int {
        let limits = 1...1 << 20
        return needsSize
          ? try element.member(name).integer(in: limits) : try element.optional(name)?.integer(in: limits) ?? 0
      }
      return PanopticImage(id: id, fileName: name, width: try side("width"), height: try side("height"))
    }
  }

  private static func annotations(
    _ list: JSONCursor, role: Role, images: [PanopticImage]?, categories: CategoryTable?
  ) throws -> [PanopticAnnotation] {
    let imageIDs = images.map { Set($0.map(\.id)) }
    var ids = Set<ImageID>()
    var names = Set<ByteName>()
    return try list.elements().map { element in
      let id = try element.member("image_id").imageID()
      guard ids.insert(id).inserted else {
        throw try element.member("image_id").error(.duplicateID, "two annotations of the image \(id)")
      }
      if let images, imageIDs?.contains(id) == false {
        let other = images.first { $0.id.isWritten(otherwiseThan: id) }
        throw try element.member("image_id").error(
          .missingImage,
          other.map {
            "the image \(id.json.canonicalText) is \($0.id.json.canonicalText) in 'images'; write all ids alike"
          } ?? "the image \(id) is not listed in 'images'")
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
        imageID: id, fileName: try element.fileName(among: &names, "annotations"), segments: segments)
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
    // Tools write fractions: areas of polygons. In predictions areas count for nothing, so any number is fine.
    let area =
      isTruth
      ? try segment.member("area").number(in: 0...Double(Int32.max)) : try segment.optional("area")?.number() ?? 0
    let isCrowd = isTruth ? try segment.member("iscrowd").flag() : try segment.optional("iscrowd")?.flag() ?? false
    let box = try segment.optional("bbox").map { (box: JSONCursor) throws -> [Int] in
      let sides = try box.elements().map { side in try side.number() }
      if sides.count != 4 || sides.contains(where: { $0.magnitude > 1e6 }) || sides[2] < 0 || sides[3] < 0 {
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

  /// The member `file_name`, which no other element of the list has.
  fileprivate func fileName(among names: inout Set<ByteName>, _ list: String) throws -> String {
    let member = try member("file_name")
    let name = try member.relativePath()
    guard names.insert(ByteName(name)).inserted else {
      throw member.error(.duplicateID, "two of the \(list) have the file '\(name)'")
    }
    return name
  }

  /// A path that stays inside its folder, without `.` and doubled slashes. Told by bytes: where characters are
  /// compared, `..` with a combining mark behind the next slash is another name than `..`, and leads out.
  private func relativePath() throws -> String {
    let name = try string()
    let parts = name.splitBytes(at: UInt8(ascii: "/"))
    let kept = parts.filter { !$0.utf8.isEmpty && !$0.hasSameBytes(as: ".") }
    let isInside =
      parts.first?.utf8.isEmpty == false && parts.last?.utf8.isEmpty == false && !kept.isEmpty
      && kept.allSatisfy { !$0.hasSameBytes(as: "..") && !$0.utf8.contains(0) }
    guard isInside else {
      throw error(.invalidValue, "'\(name)' is not the name of a file inside the folder")
    }
    return kept.count == parts.count ? name : kept.joined(separator: "/")
  }
}
