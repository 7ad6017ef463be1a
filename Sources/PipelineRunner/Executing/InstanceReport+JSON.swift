import Determinism
import PipelineModel

extension RerunReport.InstanceReport {
  /// Everything, so that another process can send it.
  package var canonical: CanonicalValue {
    [
      "name": .string(name), "key": .string(key.hex), "outputs": .object(outputs.mapValues(\.canonical)),
      "parting": parting?.canonical ?? .null, "seconds": .measure(seconds),
      "changes": .array(
        changes.map {
          [
            "output": .string($0.output), "recorded": $0.recorded.canonical, "found": $0.found.canonical,
            "differences": .array($0.differences.map(\.canonical)),
          ]
        }),
    ]
  }

  /// Nil where the value is not what `canonical` writes.
  package init?(canonical value: CanonicalValue) {
    guard let name = value["name"]?.stringValue, let key = value["key"]?.stringValue.flatMap(Digest.init(hex:)),
      let outputs = value["outputs"]?.objectValue, let changes = value["changes"]?.arrayValue,
      let parting = value["parting"]
    else { return nil }
    let found = changes.compactMap(RerunReport.Change.init(canonical:))
    guard found.count == changes.count else { return nil }
    self.init(
      name: name, key: key, outputs: outputs.compactMapValues(Artifact.init(canonical:)),
      parting: TraceDifference(canonical: parting), changes: found, seconds: value["seconds"]?.numberValue ?? 0)
    guard parting == .null || self.parting != nil else { return nil }
  }
}

extension RerunReport.Change {
  fileprivate init?(canonical value: CanonicalValue) {
    guard let output = value["output"]?.stringValue,
      let recorded = value["recorded"].flatMap(Artifact.init(canonical:)),
      let found = value["found"].flatMap(Artifact.init(canonical:)), let differences = value["differences"]?.arrayValue
    else { return nil }
    self.init(
      output: output, recorded: recorded, found: found,
      differences: differences.compactMap(ArtifactDifference.init(canonical:)))
  }
}
