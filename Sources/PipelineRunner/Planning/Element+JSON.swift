import ArtifactStore
import Determinism
import PipelineModel

extension Instance.Element {
  package var canonical: CanonicalValue {
    let content: CanonicalValue =
      switch value {
      case .json(let value): ["json": value]
      case .file(let file):
        [
          "path": .string(file.path), "size": .integer(file.size), "sha256": .string(file.sha256.hex),
          "executable": .bool(file.isExecutable),
        ]
      }
    return ["value": content, "ports": .array(ports.map { .string($0) }), "origin": origin.canonical]
  }

  /// Nil where the value is no element.
  package init?(canonical value: CanonicalValue) {
    guard let content = value["value"], let ports = value["ports"]?.arrayValue,
      let origin = value["origin"].flatMap(Record.Element.init(canonical:))
    else { return nil }
    let element: ElementValue
    if let json = content["json"] {
      element = .json(json)
    } else if let path = content["path"]?.stringValue, let size = content["size"]?.integerValue,
      let sha256 = content["sha256"]?.stringValue.flatMap(Digest.init(hex:)),
      let isExecutable = content["executable"]?.boolValue
    {
      element = .file(TreeManifest.Entry(path: path, size: size, sha256: sha256, isExecutable: isExecutable))
    } else {
      return nil
    }
    self.init(value: element, ports: ports.compactMap(\.stringValue), origin: origin)
  }
}
