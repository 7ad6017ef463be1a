import Determinism
import PipelineModel

/// The result of executing stages again.
public struct RerunReport: Sendable {
  /// An output that differs from the recorded one.
  public struct Change: Sendable {
    public let output: String
    public let recorded: Artifact
    public let found: Artifact
    /// Recorded against found; empty where the recorded artifact is not in the store any more.
    public let differences: [ArtifactDifference]

    package init(output: String, recorded: Artifact, found: Artifact, differences: [ArtifactDifference]) {
      self.output = output
      self.recorded = recorded
      self.found = found
      self.differences = differences
    }

    /// Maximum number of differences that are kept.
    package static let limit = 20

    package var canonical: CanonicalValue {
      [
        "output": .string(output), "recorded": .string(recorded.digest.hex), "found": .string(found.digest.hex),
        "places": .array(differences.map(\.canonical)),
      ]
    }
  }

  public struct InstanceReport: Sendable {
    public let name: String
    public let key: Digest
    /// As recorded.
    public let outputs: [String: Artifact]
    /// Where digests that the stage notes on its way first differ.
    public let parting: TraceDifference?
    public let changes: [Change]
    public let seconds: Double

    public var isReproduced: Bool { parting == nil && changes.isEmpty }

    /// Lines to print; none where the stage reproduced.
    public var differences: [String] {
      var lines = [String]()
      if let parting { lines.append("first differs inside the stage at \(parting)") }
      for change in changes {
        let line = "output '\(change.output)' was \(change.recorded.digest.short), is now \(change.found.digest.short)"
        lines.append(line + (change.differences.first.map { ": \($0)" } ?? ""))
        lines += change.differences.dropFirst().map { "  \($0)" }
        if change.differences.count == Change.limit { lines.append("  ...") }
      }
      return lines
    }
  }

  public let instances: [InstanceReport]

  package init(instances: [InstanceReport]) {
    self.instances = instances
  }
  public var isReproduced: Bool { instances.allSatisfy(\.isReproduced) }
}

extension RerunReport {
  /// The report for programs.
  public var canonical: CanonicalValue {
    [
      "reproduced": .bool(isReproduced),
      "instances": .array(
        instances.map {
          [
            "name": .string($0.name), "key": .string($0.key.hex), "reproduced": .bool($0.isReproduced),
            "differences": .array($0.differences.map { .string($0) }),
            "parting": $0.parting?.canonical ?? .null,
            "changes": .array($0.changes.map(\.canonical)),
            "outputs": .object($0.outputs.mapValues(\.canonical)),
          ]
        }),
    ]
  }
}
