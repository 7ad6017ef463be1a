import ArtifactStore
import Determinism
import PipelineModel

/// One execution to be: a stage, or of a fanned-out or repeated stage one instance.
package struct Instance: Sendable {
  package let stage: Int
  /// Of a loop; 0 elsewhere.
  package let round: Int
  /// Index of the element; 0 for a stage that is not fanned out.
  package let slot: Int
  /// `finetune`, `evaluate[3]` or `evaluate[2,3]`.
  package let name: String
  package let identity: StageIdentity
  package let key: Digest
  /// By the name of the port; one artifact unless the port is a list.
  package let inputs: [String: [Artifact]]
  /// The element where an input takes it, and where it comes from.
  package let element: Element?
  /// Of a source, what was found: nothing is left to run.
  package let observed: [String: Artifact]?

  package init(
    stage: Int, round: Int, slot: Int, name: String, identity: StageIdentity, key: Digest, inputs: [String: [Artifact]],
    element: Element?, observed: [String: Artifact]?
  ) {
    self.stage = stage
    self.round = round
    self.slot = slot
    self.name = name
    self.identity = identity
    self.key = key
    self.inputs = inputs
    self.element = element
    self.observed = observed
  }

  package struct Element: Sendable, Equatable {
    package let value: ElementValue
    package let ports: [String]
    package let origin: Record.Element

    package init(value: ElementValue, ports: [String], origin: Record.Element) {
      self.value = value
      self.ports = ports
      self.origin = origin
    }
  }
}
