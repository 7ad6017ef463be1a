import Determinism

/// One place where two artifacts of a kind differ: a tensor, a field, a file.
public struct ArtifactDifference: Hashable, Sendable, CustomStringConvertible {
  /// Such as `tensor 'stem/weight'`, `All.pq`, or a file's path; empty for the whole.
  public var place: String
  /// The values there as text; `absent` where one side has nothing. Of a place with many elements those of the first
  /// that differs.
  public var first: String
  public var second: String
  /// Of a place with many elements.
  public var elements: Elements?

  /// How the elements of one place differ.
  public struct Elements: Hashable, Sendable {
    /// Coordinates of the first that differs.
    public var index: [Int]
    /// How many differ, and of how many.
    public var count: Int
    public var total: Int
    /// The largest difference of two values; nil where one is no number.
    public var largest: Double?
    /// The largest distance in units in the last place, for floating point without NaN.
    public var ulps: UInt64?

    public init(index: [Int], count: Int, total: Int, largest: Double?, ulps: UInt64?) {
      self.index = index
      self.count = count
      self.total = total
      self.largest = largest
      self.ulps = ulps
    }
  }

  public init(place: String, first: String, second: String, elements: Elements? = nil) {
    self.place = place
    self.first = first
    self.second = second
    self.elements = elements
  }

  /// Nil where the value is not what `canonical` writes.
  package init?(canonical value: CanonicalValue) {
    guard let place = value["place"]?.stringValue, let first = value["first"]?.stringValue,
      let second = value["second"]?.stringValue
    else { return nil }
    var elements: Elements?
    if let index = value["index"]?.arrayValue, let count = value["count"]?.integerValue,
      let total = value["total"]?.integerValue
    {
      elements = Elements(
        index: index.compactMap(\.integerValue), count: count, total: total, largest: value["largest"]?.numberValue,
        ulps: value["ulps"]?.integerValue.map { UInt64(clamping: $0) })
    }
    self.init(place: place, first: first, second: second, elements: elements)
  }

  public var description: String {
    guard let elements else { return "\(place.isEmpty ? "the value" : place): \(first) against \(second)" }
    var text = "\(place) at \(elements.index): \(first) against \(second); "
    text += "\(elements.count) of \(elements.total) \(elements.total == 1 ? "element differs" : "elements differ")"
    let measures = [
      elements.largest.map { "\(Float($0))" }, elements.ulps.map { "\($0) ulp" },
    ].compactMap(\.self)
    return measures.isEmpty ? text : text + ", by at most " + measures.joined(separator: " or ")
  }

  /// As JSON.
  public var canonical: CanonicalValue {
    var members: [String: CanonicalValue] = [
      "place": .string(place), "first": .string(first), "second": .string(second),
    ]
    if let elements {
      members["index"] = .array(elements.index.map { .integer($0) })
      members["count"] = .integer(elements.count)
      members["total"] = .integer(elements.total)
      if let largest = elements.largest, largest.isFinite { members["largest"] = .number(largest) }
      if let ulps = elements.ulps { members["ulps"] = .integer(Int(clamping: ulps)) }
    }
    return .object(members)
  }
}
