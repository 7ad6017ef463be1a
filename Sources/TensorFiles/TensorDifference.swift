import Determinism

/// Where two tensor files first differ, in name order. What `rerun` and `diff` say.
public enum TensorDifference: Hashable, Sendable, CustomStringConvertible {
  /// Only one file has the tensor.
  case missing(name: String, inFirst: Bool)
  /// Element types or shapes differ.
  case kind(name: String, first: String, second: String)
  /// Elements differ.
  case elements(ElementDifference)
  /// An attribute differs (nil where a file has none of that name).
  case attribute(name: String, first: CanonicalValue?, second: CanonicalValue?)

  public struct ElementDifference: Hashable, Sendable {
    public let name: String
    /// Coordinates of the first differing element.
    public let index: [Int]
    /// The two values as text.
    public let first: String
    public let second: String
    /// How many elements differ.
    public let count: Int
    /// The largest distance in units in the last place, for floating point without NaN.
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
    }
  }
}

extension TensorFile {
  /// The first difference in content; nil where the digests are equal.
  ///
  /// Bits are compared: -0 differs from 0, a NaN equals itself.
  public static func difference(between a: TensorFile, and b: TensorFile) -> TensorDifference? {
    var i = 0
    var j = 0
    while i < a.entries.count || j < b.entries.count {
      let first = i < a.entries.count ? a.entries[i] : nil
      let second = j < b.entries.count ? b.entries[j] : nil
      guard let first, second.map({ !precedes($0.name, first.name) }) ?? true else {
        return .missing(name: second!.name, inFirst: true)
      }
      guard let second, second.name == first.name else { return .missing(name: first.name, inFirst: false) }
      if let found = difference(named: first.name, first.tensor, second.tensor) { return found }
      i += 1
      j += 1
    }
    return attributeDifference(a.attributes, b.attributes, prefix: "")
      ?? objectDifference(a.objectAttributes, b.objectAttributes)
  }

  private static func difference(named name: String, _ a: NamedTensor, _ b: NamedTensor) -> TensorDifference? {
    guard a.elementType == b.elementType, a.shape == b.shape else {
      return .kind(name: name, first: "\(a.elementType) \(a.shape)", second: "\(b.elementType) \(b.shape)")
    }
    guard a.bytes != b.bytes else { return nil }
    let size = a.elementType.size
    var firstIndex: Int?
    var count = 0
    var ulps: UInt64? = 0
    for i in 0..<a.count where a.bytes[i * size..<(i + 1) * size] != b.bytes[i * size..<(i + 1) * size] {
      firstIndex = firstIndex ?? i
      count += 1
      if let known = ulps { ulps = ulpDistance(a, b, at: i).map { max(known, $0) } }
    }
    let flat = firstIndex!
    return .elements(
      .init(
        name: name, index: coordinates(of: flat, in: a.shape), first: a.text(at: flat), second: b.text(at: flat),
        count: count, maximalUlps: ulps))
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

  /// Floats in order of value are integers in order, once negative ones are mirrored.
  private static func ulpDistance(_ a: NamedTensor, _ b: NamedTensor, at i: Int) -> UInt64? {
    func ordered(_ t: NamedTensor) -> Int64? {
      switch t.elementType {
      case .float32:
        let f = t.element(at: i, as: Float.self)
        guard !f.isNaN else { return nil }
        let bits = Int64(Int32(bitPattern: f.bitPattern))
        return bits < 0 ? Int64(Int32.min) - bits : bits
      case .float64:
        let f = t.element(at: i, as: Double.self)
        guard !f.isNaN else { return nil }
        let bits = Int64(bitPattern: f.bitPattern)
        return bits < 0 ? Int64.min - bits : bits
      default: return nil
      }
    }
    guard let x = ordered(a), let y = ordered(b) else { return nil }
    return x > y ? UInt64(bitPattern: x &- y) : UInt64(bitPattern: y &- x)
  }

  private static func attributeDifference(
    _ a: [String: CanonicalValue], _ b: [String: CanonicalValue], prefix: String
  ) -> TensorDifference? {
    for name in Set(a.keys).union(b.keys).sorted(by: precedes) where a[name] != b[name] {
      return .attribute(name: prefix + name, first: a[name], second: b[name])
    }
    return nil
  }

  private static func objectDifference(
    _ a: [String: [String: CanonicalValue]], _ b: [String: [String: CanonicalValue]]
  ) -> TensorDifference? {
    for path in Set(a.keys).union(b.keys).sorted(by: precedes) {
      if let found = attributeDifference(a[path] ?? [:], b[path] ?? [:], prefix: path + ": ") { return found }
    }
    return nil
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
