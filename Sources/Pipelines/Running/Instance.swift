import Determinism

/// One execution to be: a stage, or of a fanned-out or repeated stage one instance.
struct Instance: Sendable {
  let stage: Int
  /// Of a loop; 0 elsewhere.
  let round: Int
  /// Index of the element; 0 for a stage that is not fanned out.
  let slot: Int
  /// `finetune`, `evaluate[3]` or `evaluate[2,3]`.
  let name: String
  let identity: StageIdentity
  let key: Digest
  /// By the name of the port; one artifact unless the port is a list.
  let inputs: [String: [Artifact]]
  /// The element where an input takes it, and where it comes from.
  let element: Element?
  /// Of a source, what was found: nothing is left to run.
  let observed: [String: Artifact]?
  /// Of a command, where its programs lie.
  let toolPaths: [String: Tool]

  struct Element: Sendable {
    let value: ElementValue
    let ports: [String]
    let origin: Record.Element
  }
}
