import Determinism

/// Draws the candidates that enter a loss: at most a fixed share of them objects, background for the rest.
public struct MatchSampler: Hashable, Sendable {
  /// Candidates per image: 256 for anchors, 512 for proposals.
  public var count: Int
  /// Largest share of objects: 1/2 for anchors, 1/4 for proposals.
  public var objectFraction: Double

  public init(count: Int, objectFraction: Double) {
    precondition(
      count >= 0 && (0...1).contains(objectFraction), "MatchSampler: count \(count), fraction \(objectFraction)")
    (self.count, self.objectFraction) = (count, objectFraction)
  }

  /// Indices of matches, both lists ascending.
  public struct Sample: Hashable, Sendable {
    public var objects: [Int]
    public var background: [Int]
  }

  /// A uniform draw without replacement from each kind. Where objects are few, background takes their places.
  /// - Parameter random: advances by one draw per index that is chosen from a larger set, objects first.
  public func sample(_ matches: [Match], using random: inout RandomStream) -> Sample {
    var objects = [Int]()
    var background = [Int]()
    for (i, match) in matches.enumerated() {
      switch match {
      case .object: objects.append(i)
      case .background: background.append(i)
      case .ignored: break
      }
    }
    let objectLimit = min(objects.count, Int(Double(count) * objectFraction))
    let backgroundLimit = min(background.count, count - objectLimit)
    return Sample(
      objects: random.choose(objectLimit, from: objects),
      background: random.choose(backgroundLimit, from: background))
  }
}

extension RandomStream {
  /// `count` elements in their original order, every subset equally likely. Draws nothing where all are taken.
  public mutating func choose<T>(_ count: Int, from values: [T]) -> [T] {
    precondition(count <= values.count, "choose: \(count) of \(values.count)")
    if count == values.count { return values }
    // The first steps of a Fisher-Yates shuffle from the front.
    var order = Array(0..<values.count)
    for i in 0..<count { order.swapAt(i, i + below(values.count - i)) }
    return order[..<count].sorted().map { values[$0] }
  }
}
