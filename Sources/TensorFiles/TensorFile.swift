import Determinism

/// The content of an artifact: tensors by name and attributes.
///
/// Names are paths such as `backbone/stage3/weight`; parts become HDF5 groups. Tensors are kept sorted by the UTF-8
/// bytes of their names. `FORMAT.md` beside this source describes the file and its digest.
public struct TensorFile: Hashable, Sendable {
  public struct Entry: Hashable, Sendable {
    public let name: String
    public let tensor: NamedTensor

    public static func == (a: Entry, b: Entry) -> Bool { a.name.hasSameBytes(as: b.name) && a.tensor == b.tensor }
  }

  /// Sorted by name.
  public let entries: [Entry]
  /// Attributes of the whole file.
  public let attributes: [String: CanonicalValue]
  let foreign: ForeignContent

  /// Attributes of groups and tensors in other people's files, by path; our own files have none.
  public var objectAttributes: [String: [String: CanonicalValue]] { foreign.attributes }

  /// - Throws: `badName` for an empty name or part, `.`, `..`, a NUL, a name given twice, be it only to Unicode, or a
  ///   tensor whose name is also a group of another; `tooLarge` for more than a reader takes.
  public init(
    tensors: [(name: String, tensor: NamedTensor)], attributes: [String: CanonicalValue] = [:]
  ) throws(TensorFileError) {
    let sorted = tensors.map { Entry(name: $0.name, tensor: $0.tensor) }.sorted { precedes($0.name, $1.name) }
    try Names.check(sorted.map(\.name), attributes: attributes)
    for entry in sorted {
      guard let byte = entry.tensor.untruth else { continue }
      throw TensorFileError(.unsupported, at: "tensor '\(shown(entry.name))'", "an element is \(byte), neither 0 nor 1")
    }
    self.init(sorted: sorted, attributes: attributes, foreign: ForeignContent())
  }

  init(sorted entries: [Entry], attributes: [String: CanonicalValue], foreign: ForeignContent) {
    self.entries = entries
    self.attributes = attributes
    self.foreign = foreign
  }

  /// Equal content: what has one digest.
  public static func == (a: TensorFile, b: TensorFile) -> Bool {
    a.entries == b.entries && a.frame.canonicalBytes == b.frame.canonicalBytes
  }

  public func hash(into hasher: inout Hasher) {
    hasher.combine(entries.count)
    hasher.combine(frame.canonicalBytes)
  }

  /// The manifest without the tensors.
  private var frame: CanonicalValue { TensorDigest.manifest([], attributes: attributes, foreign: foreign) }

  public var names: [String] { entries.map(\.name) }

  /// The tensor of that name.
  public subscript(name: String) -> NamedTensor? {
    var low = 0
    var high = entries.count
    while low < high {
      let middle = (low + high) / 2
      if precedes(entries[middle].name, name) { low = middle + 1 } else { high = middle }
    }
    return low < entries.count && entries[low].name.hasSameBytes(as: name) ? entries[low].tensor : nil
  }
}
