import Determinism
import Pipelines
import TensorFiles

/// Artifacts that hold tensors: HDF5 with LZ4.
struct TensorsFormat: ArtifactFormat {
  static let name = "tensors"
  static let fileExtension = "h5"

  func digest(ofFileAt path: String) throws -> Digest { try TensorFile.digest(ofFileAt: path) }

  func differences(between a: String, and b: String, limit: Int) throws -> [ArtifactDifference] {
    TensorFile.differences(between: try TensorFile.read(a), and: try TensorFile.read(b), limit: limit).map(\.artifact)
  }

  func summary(ofFileAt path: String) throws -> [String] {
    let file = try TensorFile.read(path)
    let elements = file.entries.reduce(0) { $0 + $1.tensor.count }
    return ["\(file.entries.count) tensors, \(elements) elements"]
      + file.entries.map { "\($0.name)  \($0.tensor.elementType) \($0.tensor.shape)" }
  }
}

extension TensorDifference {
  /// As the runner, which knows no tensors, tells it.
  fileprivate var artifact: ArtifactDifference {
    switch self {
    case .missing(let name, let inFirst):
      ArtifactDifference(
        place: "tensor '\(name)'", first: inFirst ? "absent" : "present", second: inFirst ? "present" : "absent")
    case .kind(let name, let first, let second):
      ArtifactDifference(place: "tensor '\(name)'", first: first, second: second)
    case .elements(let d):
      ArtifactDifference(
        place: "tensor '\(d.name)'", first: d.first, second: d.second,
        elements: .init(index: d.index, count: d.count, total: d.total, largest: d.largest, ulps: d.maximalUlps))
    case .attribute(let name, let first, let second):
      ArtifactDifference(
        place: "attribute '\(name)'", first: first?.canonicalText ?? "absent",
        second: second?.canonicalText ?? "absent")
    }
  }
}
