import Determinism

/// The content of an artifact: tensors by name and attributes.
///
/// Names are paths such as `backbone/stage3/weight`; parts become HDF5 groups. Tensors are kept sorted by the UTF-8
/// bytes of their names. `FORMAT.md` beside this source describes the file and its digest.
public struct TensorFile: Hashable, Sendable {
  public struct Entry: Hashable, Sendable {
    public let name: String
    public let tensor: NamedTensor
  }

  /// Sorted by name.
  public let entries: [Entry]
  /// Attributes of the whole file.
  public let attributes: [String: CanonicalValue]
  /// Attributes of groups and tensors in other people's files, by path; our own files have none.
  public let objectAttributes: [String: [String: CanonicalValue]]

  /// - Throws: `badName` for an empty name or part, `.`, `..`, a NUL, a name given twice, or a tensor whose name is
  ///   also a group of another.
  public init(
    tensors: [(name: String, tensor: NamedTensor)], attributes: [String: CanonicalValue] = [:]
  ) throws(TensorFileError) {
    let sorted = tensors.map { Entry(name: $0.name, tensor: $0.tensor) }.sorted { precedes($0.name, $1.name) }
    try Names.check(sorted.map(\.name), attributes: attributes.keys.sorted(by: precedes))
    self.init(sorted: sorted, attributes: attributes, objectAttributes: [:])
  }

  init(
    sorted entries: [Entry], attributes: [String: CanonicalValue],
    objectAttributes: [String: [String: CanonicalValue]]
  ) {
    self.entries = entries
    self.attributes = attributes
    self.objectAttributes = objectAttributes
  }

  public var names: [String] { entries.map(\.name) }

  /// The tensor of that name.
  public subscript(name: String) -> NamedTensor? {
    var low = 0
    var high = entries.count
    while low < high {
      let middle = (low + high) / 2
      if precedes(entries[middle].name, name) { low = middle + 1 } else { high = middle }
    }
    return low < entries.count && entries[low].name == name ? entries[low].tensor : nil
  }
}

/// The order of names everywhere: by UTF-8 bytes. Swift's own order of strings follows Unicode, which changes.
func precedes(_ a: String, _ b: String) -> Bool { a.utf8.lexicographicallyPrecedes(b.utf8) }

enum Names {
  static func check(_ names: [String], attributes: [String]) throws(TensorFileError) {
    var seen = Set<[UInt8]>()
    for name in names {
      let parts = name.utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
      guard parts.allSatisfy({ isPart(Array($0)) }) else {
        throw TensorFileError(
          .badName, at: "tensor '\(name)'", "a name is parts joined by '/', none of them empty, '.' or '..'")
      }
      guard seen.insert(Array(name.utf8)).inserted else {
        throw TensorFileError(.badName, at: "tensor '\(name)'", "the name is given twice")
      }
    }
    for name in names {
      for group in groups(of: name) where seen.contains(Array(group.utf8)) {
        throw TensorFileError(
          .badName, at: "tensor '\(name)'", "'\(group)' is a tensor and cannot hold another; rename one of them")
      }
    }
    for name in attributes where name.isEmpty || name.utf8.contains(0) || name.hasSuffix(Attributes.jsonSuffix) {
      throw TensorFileError(
        .badName, at: "attribute '\(name)'", "an attribute has a name without NUL and '\(Attributes.jsonSuffix)'")
    }
  }

  private static func isPart(_ part: [UInt8]) -> Bool {
    !part.isEmpty && !part.contains(0) && part != [UInt8(ascii: ".")] && part != Array("..".utf8)
  }

  /// The groups a name passes through, outermost first: `a`, `a/b` for `a/b/c`.
  static func groups(of name: String) -> [String] {
    let bytes = Array(name.utf8)
    return bytes.indices.filter { bytes[$0] == UInt8(ascii: "/") }.map {
      String(decoding: bytes[..<$0], as: UTF8.self)
    }
  }
}
