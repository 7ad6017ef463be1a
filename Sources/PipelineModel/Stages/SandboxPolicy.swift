/// Whether commands are kept from what they did not declare.
public enum SandboxPolicy: String, Sendable, CaseIterable {
  /// Where bubblewrap is there and works.
  case automatic
  /// Without it, nothing runs.
  case required
  case off
}
