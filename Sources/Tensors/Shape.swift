/// The extents of a tensor, outermost first: `[N, C, H, W]` for feature maps. At most five, stored inline.
public struct Shape: Hashable, Sendable {
  private var extents: InlineExtents
  /// The number of dimensions.
  public let rank: Int

  /// The largest rank.
  public static let maximalRank = 5

  /// - Precondition: at most five extents, none negative.
  public init(_ extents: [Int]) {
    precondition(extents.count <= Shape.maximalRank, "Shape: \(extents.count) extents, at most \(Shape.maximalRank)")
    precondition(extents.allSatisfy { $0 >= 0 }, "Shape: negative extent in \(extents)")
    self.rank = extents.count
    self.extents = InlineExtents()
    for (i, e) in extents.enumerated() { self.extents[i] = e }
  }

  /// The extent of a dimension; negative indices count from the last.
  public subscript(_ dimension: Int) -> Int {
    let i = dimension < 0 ? dimension + rank : dimension
    precondition(i >= 0 && i < rank, "Shape: dimension \(dimension) of \(self)")
    return extents[i]
  }

  /// The number of elements; 1 for a scalar.
  public var count: Int {
    var n = 1
    for i in 0..<rank { n *= extents[i] }
    return n
  }

  /// The extents, outermost first.
  public var array: [Int] { (0..<rank).map { extents[$0] } }

  /// The shape with one extent replaced; negative indices count from the last.
  public func replacing(_ dimension: Int, with extent: Int) -> Shape {
    var values = array
    values[dimension < 0 ? dimension + rank : dimension] = extent
    return Shape(values)
  }
}

extension Shape: ExpressibleByArrayLiteral {
  public init(arrayLiteral elements: Int...) { self.init(elements) }
}

extension Shape: CustomStringConvertible {
  /// `[2×3×8×8]`.
  public var description: String { "[" + array.map(String.init).joined(separator: "×") + "]" }
}

/// Five integers stored inline.
private struct InlineExtents: Hashable, Sendable {
  private var a = 1
  private var b = 1
  private var c = 1
  private var d = 1
  private var e = 1

  subscript(_ i: Int) -> Int {
    get {
      switch i {
      case 0: a
      case 1: b
      case 2: c
      case 3: d
      default: e
      }
    }
    set {
      switch i {
      case 0: a = newValue
      case 1: b = newValue
      case 2: c = newValue
      case 3: d = newValue
      default: e = newValue
      }
    }
  }
}
