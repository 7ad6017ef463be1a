import Determinism

/// A difference between two tensor files, as `rerun` and `diff` report it.
public enum TensorDifference: Hashable, Sendable, CustomStringConvertible {
  /// Only one file has the tensor.
  case missing(name: String, inFirst: Bool)
  /// Element types or shapes differ.
  case kind(name: String, first: String, second: String)
  /// Elements differ.
  case elements(ElementDifference)
  /// An attribute differs (nil where a file has none of that name).
  case attribute(name: String, first: CanonicalValue?, second: CanonicalValue?)
  /// Other content of other programs' files differs: `link 'a/b'` and its target, an empty group, how an attribute is
  /// stored (nil where a file lacks it).
  case object(name: String, first: String?, second: String?)

  /// How the elements of two tensors of one type and shape differ.
  public struct ElementDifference: Hashable, Sendable {
    /// The name of the tensors.
    public let name: String
    /// Coordinates of the first differing element.
    public let index: [Int]
    /// The two values as text.
    public let first: String
    public let second: String
    /// How many elements differ.
    public let count: Int
    /// How many elements there are.
    public let total: Int
    /// The largest absolute difference of two values; nil where one of them is NaN.
    public let largest: Double?
    /// The largest distance in units in the last place; nil for integers and where a value is NaN.
    public let maximalUlps: UInt64?
  }

  public var description: String {
    switch self {
    case .missing(let name, let inFirst):
      "tensor '\(name)' is missing in the \(inFirst ? "first" : "second")"
    case .kind(let name, let first, let second): "tensor '\(name)': \(first) against \(second)"
    case .elements(let d):
      "tensor '\(d.name)' at \(d.index): \(d.first) against \(d.second); "
        + (d.count == 1 ? "1 element differs" : "\(d.count) elements differ")
        + (d.maximalUlps.map { ", by at most \($0) ulp" } ?? "")
    case .attribute(let name, let first, let second):
      "attribute '\(name)': \(first?.canonicalText ?? "none") against \(second?.canonicalText ?? "none")"
    case .object(let name, let first, let second): "\(name): \(first ?? "none") against \(second ?? "none")"
    }
  }
}

extension TensorDifference {
  /// How two tensors differ; nil where they do not.
  init?(named name: String, _ a: NamedTensor, _ b: NamedTensor) {
    guard a.elementType == b.elementType, a.shape == b.shape else {
      self = .kind(name: name, first: "\(a.elementType) \(a.shape)", second: "\(b.elementType) \(b.shape)")
      return
    }
    guard a != b else { return nil }
    let found = ElementComparison(a, b)
    self = .elements(
      .init(
        name: name, index: TensorDifference.coordinates(of: found.first, in: a.shape), first: a.text(at: found.first),
        second: b.text(at: found.first), count: found.count, total: a.count, largest: found.largest,
        maximalUlps: found.ulps))
  }

  /// The same difference under another name.
  func named(_ name: String) -> TensorDifference {
    switch self {
    case .kind(_, let first, let second): .kind(name: name, first: first, second: second)
    case .elements(let d):
      .elements(
        .init(
          name: name, index: d.index, first: d.first, second: d.second, count: d.count, total: d.total,
          largest: d.largest, maximalUlps: d.maximalUlps))
    default: self
    }
  }

  private static func coordinates(of flat: Int, in shape: [Int]) -> [Int] {
    var rest = flat
    var index = [Int](repeating: 0, count: shape.count)
    for d in shape.indices.reversed() {
      index[d] = rest % shape[d]
      rest /= shape[d]
    }
    return index
  }
}

/// How the elements of two tensors of one type and shape differ.
private struct ElementComparison {
  /// Row-major index of the first element that differs.
  var first = 0
  var count = 0
  var largest: Double? = 0
  var ulps: UInt64?

  /// - Precondition: the tensors differ.
  init(_ a: NamedTensor, _ b: NamedTensor) {
    switch a.elementType {
    case .float32:
      ulps = 0
      compare(a, b, as: UInt32.self) { x, y in
        let (x, y) = (Float(bitPattern: x), Float(bitPattern: y))
        guard !x.isNaN, !y.isNaN else { return (nil, nil) }
        // Maps floats to integers in the same order: their bits, mirrored for negative ones.
        func ordered(_ f: Float) -> Int64 {
          let bits = Int64(Int32(bitPattern: f.bitPattern))
          return bits < 0 ? Int64(Int32.min) - bits : bits
        }
        return (abs(Double(x) - Double(y)), (ordered(x) - ordered(y)).magnitude)
      }
    case .float64:
      ulps = 0
      compare(a, b, as: UInt64.self) { x, y in
        let (x, y) = (Double(bitPattern: x), Double(bitPattern: y))
        guard !x.isNaN, !y.isNaN else { return (nil, nil) }
        func ordered(_ f: Double) -> Int64 {
          let bits = Int64(bitPattern: f.bitPattern)
          return bits < 0 ? Int64.min - bits : bits
        }
        let (p, q) = (ordered(x), ordered(y))
        return (abs(x - y), p > q ? UInt64(bitPattern: p &- q) : UInt64(bitPattern: q &- p))
      }
    case .int8: compareIntegers(a, b, as: Int8.self)
    case .int16: compareIntegers(a, b, as: Int16.self)
    case .int32: compareIntegers(a, b, as: Int32.self)
    case .int64: compareIntegers(a, b, as: Int64.self)
    case .uint8, .bool: compareIntegers(a, b, as: UInt8.self)
    case .uint16: compareIntegers(a, b, as: UInt16.self)
    case .uint32: compareIntegers(a, b, as: UInt32.self)
    case .uint64: compareIntegers(a, b, as: UInt64.self)
    }
  }

  private mutating func compareIntegers<T: StoredElement & FixedWidthInteger>(
    _ a: NamedTensor, _ b: NamedTensor, as type: T.Type
  ) {
    compare(a, b, as: type) { (abs(Double($0) - Double($1)), nil) }
  }

  /// - Parameter measure: absolute difference and distance in ulp of two elements that differ; nil where undefined.
  private mutating func compare<T: StoredElement & Equatable>(
    _ a: NamedTensor, _ b: NamedTensor, as type: T.Type, measure: (T, T) -> (Double?, UInt64?)
  ) {
    a.withUnsafeBytes { x in
      b.withUnsafeBytes { y in
        for i in 0..<a.count {
          let p = x.loadUnaligned(fromByteOffset: i * MemoryLayout<T>.size, as: T.self)
          let q = y.loadUnaligned(fromByteOffset: i * MemoryLayout<T>.size, as: T.self)
          if p == q { continue }
          if count == 0 { first = i }
          count += 1
          let (difference, distance) = measure(p, q)
          largest = largest.flatMap { known in difference.map { max(known, $0) } }
          ulps = ulps.flatMap { known in distance.map { max(known, $0) } }
        }
      }
    }
  }
}

extension NamedTensor {
  func element<T: StoredElement>(at i: Int, as type: T.Type) -> T {
    bytes.withUnsafeBytes { $0.loadUnaligned(fromByteOffset: i * MemoryLayout<T>.size, as: T.self) }
  }

  func text(at i: Int) -> String {
    switch elementType {
    case .float32: "\(element(at: i, as: Float.self))"
    case .float64: "\(element(at: i, as: Double.self))"
    case .int8: "\(element(at: i, as: Int8.self))"
    case .int16: "\(element(at: i, as: Int16.self))"
    case .int32: "\(element(at: i, as: Int32.self))"
    case .int64: "\(element(at: i, as: Int64.self))"
    case .uint8: "\(bytes[i])"
    case .bool: bytes[i] == 0 ? "false" : "true"
    case .uint16: "\(element(at: i, as: UInt16.self))"
    case .uint32: "\(element(at: i, as: UInt32.self))"
    case .uint64: "\(element(at: i, as: UInt64.self))"
    }
  }
}
