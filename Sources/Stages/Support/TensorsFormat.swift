import Determinism
import Pipelines
import TensorFiles

/// Artifacts that hold tensors: HDF5 with LZ4.
struct TensorsFormat: ArtifactFormat {
  static let name = "tensors"
  static let fileExtension = "h5"

  func digest(ofFileAt path: String) throws -> Digest { try TensorFile.digest(ofFileAt: path) }

  func difference(between a: String, and b: String) throws -> String? {
    TensorFile.difference(between: try TensorFile.read(a), and: try TensorFile.read(b))?.description
  }

  func summary(ofFileAt path: String) throws -> [String] {
    let file = try TensorFile.read(path)
    let elements = file.entries.reduce(0) { $0 + $1.tensor.count }
    return ["\(file.entries.count) tensors, \(elements) elements"]
      + file.entries.map { "\($0.name)  \($0.tensor.elementType) \($0.tensor.shape)" }
  }
}
