import Determinism

/// Golden values for tests: an HDF5 file with one group per case. Inner groups become parts of tensor names
/// (`state/conv.weight`).
public struct GoldenFile: Sendable {
  /// One case: inputs, parameters and expected outputs.
  public struct Case: Sendable, CustomStringConvertible {
    /// The name of the group.
    public let name: String
    /// Tensors by name inside the group.
    public let tensors: [String: NamedTensor]
    /// Attributes of the group: the parameters of the case.
    public let attributes: [String: CanonicalValue]

    public var description: String { name }

    /// The tensor with a name.
    /// - Throws: an error that names the case where the tensor is missing.
    public func tensor(_ name: String) throws(TensorFileError) -> NamedTensor {
      guard let tensor = tensors[name] else {
        throw TensorFileError(.corrupt, at: "case '\(self.name)'", "has no tensor '\(name)'")
      }
      return tensor
    }
  }

  public let path: String
  /// The cases, sorted by name.
  public let cases: [Case]

  /// Reads a trusted file.
  public init(_ path: String) throws(TensorFileError) {
    self.path = path
    let file = try TensorFile.read(path)
    var tensors = [String: [String: NamedTensor]]()
    for entry in file.entries {
      let parts = entry.name.split(separator: "/", maxSplits: 1)
      let group = parts.count == 2 ? String(parts[0]) : ""
      tensors[group, default: [:]][String(parts.last ?? "")] = entry.tensor
    }
    for path in file.objectAttributes.keys where !path.contains("/") && file[path] == nil {
      tensors[path] = tensors[path] ?? [:]
    }
    cases = tensors.sorted { precedes($0.key, $1.key) }.map { group, tensors in
      Case(
        name: group, tensors: tensors,
        attributes: (group.isEmpty ? file.attributes : file.objectAttributes[group]) ?? [:])
    }
  }

  /// The case with a name; nil where there is none.
  public subscript(name: String) -> Case? { cases.first { $0.name == name } }
}
