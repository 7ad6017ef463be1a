import Determinism

/// A class of things (countable) or stuff (not countable).
public struct PanopticCategory: Hashable, Sendable {
  public var id: Int
  public var name: String
  public var isThing: Bool
  /// Red, green, blue, for pictures; not used in any number.
  public var color: [UInt8]?

  public init(id: Int, name: String, isThing: Bool, color: [UInt8]? = nil) {
    precondition(color == nil || color?.count == 3, "PanopticCategory: colour \(color ?? [])")
    (self.id, self.name, self.isThing, self.color) = (id, name, isThing, color)
  }
}

/// The categories of a data set, in file order, and what a network calls them.
///
/// Box labels count things 1...T by ascending id, 0 being background. Semantic labels count stuff 1...S in file order;
/// 0 stands for any thing, 255 is ignored.
public struct CategoryTable: Hashable, Sendable {
  public let categories: [PanopticCategory]
  /// Categories of things by ascending id: label `i + 1`.
  public let things: [PanopticCategory]
  /// Categories of stuff in file order: label `i + 1`.
  public let stuff: [PanopticCategory]
  private let indexOfID: [Int: Int]
  private let labelOfID: [Int: Int]

  /// The label of a pixel that enters no loss.
  public static let ignoredLabel: UInt8 = 255

  /// - Precondition: ids are unique; at most 254 categories of stuff.
  public init(_ categories: [PanopticCategory]) {
    self.categories = categories
    things = categories.filter(\.isThing).sorted { $0.id < $1.id }
    stuff = categories.filter { !$0.isThing }
    precondition(stuff.count < 255, "CategoryTable: \(stuff.count) categories of stuff")
    indexOfID = Dictionary(uniqueKeysWithValues: zip(categories.map(\.id), categories.indices))
    var labels = [Int: Int]()
    for (i, category) in things.enumerated() { labels[category.id] = i + 1 }
    for (i, category) in stuff.enumerated() { labels[category.id] = i + 1 }
    labelOfID = labels
  }

  public var count: Int { categories.count }

  /// Index in `categories`; nil for an unknown id.
  public func index(ofID id: Int) -> Int? { indexOfID[id] }

  public func category(id: Int) -> PanopticCategory? { indexOfID[id].map { categories[$0] } }

  /// Box label of a thing, 1...T; nil for stuff and unknown ids.
  public func boxLabel(ofID id: Int) -> Int? { category(id: id)?.isThing == true ? labelOfID[id] : nil }

  /// Semantic label: 0 for a thing, 1...S for stuff; nil for unknown ids.
  public func semanticLabel(ofID id: Int) -> Int? {
    category(id: id).map { $0.isThing ? 0 : labelOfID[id]! }
  }

  /// The category of a box label.
  /// - Precondition: `label` is in 1...T.
  public func thing(label: Int) -> PanopticCategory { things[label - 1] }

  /// The category of a semantic label.
  /// - Precondition: `label` is in 1...S.
  public func stuff(label: Int) -> PanopticCategory { stuff[label - 1] }
}

extension CategoryTable {
  /// Reads a category list: a JSON file that is an array, or an object with a member `categories`.
  public init(contentsOf file: String) throws { try self.init(document: JSONCursor(contentsOf: file)) }

  /// The same of a file of a tree.
  public init(_ path: String, in files: any FileTree) throws {
    try self.init(document: JSONCursor(files.read(path), place: files.place(path)))
  }

  private init(document: JSONCursor) throws {
    if case .array = document.tree {
      try self.init(document)
    } else {
      try self.init(document.member("categories"))
    }
  }

  init(_ list: JSONCursor) throws {
    var seen = Set<Int>()
    let categories = try list.elements().map { element in
      let id = try element.member("id").integer(in: 0...Int(Int32.max))
      guard seen.insert(id).inserted else {
        throw try element.member("id").error(.duplicateID, "two categories have the id \(id)")
      }
      let color = try element.optional("color").map { color in
        try color.elements().map { UInt8(try $0.integer(in: 0...255)) }
      }
      if let color, color.count != 3 {
        throw try element.member("color").error(.invalidValue, "\(color.count) numbers; a colour has 3")
      }
      return PanopticCategory(
        id: id, name: try element.member("name").string(), isThing: try element.member("isthing").flag(),
        color: color)
    }
    if categories.isEmpty { throw list.error(.invalidValue, "the list of categories is empty") }
    if categories.count(where: { !$0.isThing }) > 254 {
      throw list.error(.invalidValue, "more than 254 categories of stuff; semantic labels are single bytes")
    }
    self.init(categories)
  }

  /// The list as COCO files have it.
  public var json: CanonicalValue {
    .array(
      categories.map { category in
        var members: [String: CanonicalValue] = [
          "id": .integer(category.id), "name": .string(category.name), "isthing": .integer(category.isThing ? 1 : 0),
        ]
        if let color = category.color { members["color"] = .array(color.map { .integer(Int($0)) }) }
        return .object(members)
      })
  }
}
