import Determinism
import Pipelines
import TensorFiles

/// Artifacts that hold tensors: HDF5 with LZ4.
struct TensorsFormat: ArtifactFormat {
  static let name = "tensors"
  static let fileExtension = "h5"

  func digest(ofFileAt path: String) throws -> Digest { try TensorFile.digest(ofFileAt: path) }

  func differences(between a: String, and b: String, limit: Int) throws -> [ArtifactDifference] {
    try TensorFile.differences(ofFileAt: a, and: b, limit: limit).map(\.artifact)
  }

  func summary(ofFileAt path: String) throws -> [String] {
    let tensors = try TensorFile.headers(ofFileAt: path)
    let elements = tensors.map(\.count).sumSaturated()
    return ["\(tensors.count) tensors, \(elements) elements"]
      + tensors.map { "\($0.name)  \($0.elementType) \($0.shape)" }
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
    case .object(let name, let first, let second):
      ArtifactDifference(place: name, first: first ?? "absent", second: second ?? "absent")
    }
  }
}
