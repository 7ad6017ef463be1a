import Determinism

/// The content of an artifact: named tensors and attributes.
///
/// Names are paths such as `backbone/stage3/weight`; their parts become HDF5 groups. Tensors are sorted by the UTF-8
/// bytes of their names. `FORMAT.md` in this folder describes the file and its digest.
public struct TensorFile: Hashable, Sendable {
  /// A tensor and its name.
  public struct Entry: Hashable, Sendable {
    public let name: String
    public let tensor: NamedTensor

    public static func == (a: Entry, b: Entry) -> Bool { a.name.hasSameBytes(as: b.name) && a.tensor == b.tensor }
  }

  /// The tensors, sorted by name.
  public let entries: [Entry]
  /// Attributes of the whole file.
  public let attributes: [String: CanonicalValue]
  let foreign: ForeignContent

  /// Attributes of groups and tensors in other programs' files, by path; files of this program have none.
  public var objectAttributes: [String: [String: CanonicalValue]] { foreign.attributes }

  /// - Throws: `badName` for an empty name or part, `.`, `..`, a NUL, duplicate or canonically equivalent names, or a
  ///   tensor whose name is also a group of another; `tooLarge` for more or longer names and attributes than a reader
  ///   accepts.
  public init(
    tensors: [(name: String, tensor: NamedTensor)], attributes: [String: CanonicalValue] = [:]
  ) throws(TensorFileError) {
    let sorted = tensors.map { Entry(name: $0.name, tensor: $0.tensor) }.sorted { precedes($0.name, $1.name) }
    try Names.check(sorted.map(\.name), attributes: attributes)
    for entry in sorted {
      guard let byte = entry.tensor.invalidBool else { continue }
      throw TensorFileError(.unsupported, at: "tensor '\(shown(entry.name))'", "an element is \(byte), neither 0 nor 1")
    }
    self.init(sorted: sorted, attributes: attributes, foreign: ForeignContent())
  }

  init(sorted entries: [Entry], attributes: [String: CanonicalValue], foreign: ForeignContent) {
    self.entries = entries
    self.attributes = attributes
    self.foreign = foreign
  }

  /// Whether both have the same content, and so the same digest.
  public static func == (a: TensorFile, b: TensorFile) -> Bool {
    a.entries == b.entries && a.manifestWithoutTensors.canonicalBytes == b.manifestWithoutTensors.canonicalBytes
  }

  public func hash(into hasher: inout Hasher) {
    hasher.combine(entries.count)
    hasher.combine(manifestWithoutTensors.canonicalBytes)
  }

  /// The manifest without the tensors.
  private var manifestWithoutTensors: CanonicalValue {
    TensorDigest.manifest([], attributes: attributes, foreign: foreign)
  }

  /// The names of all tensors, sorted.
  public var names: [String] { entries.map(\.name) }

  /// The tensor with a name; nil where there is none.
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
