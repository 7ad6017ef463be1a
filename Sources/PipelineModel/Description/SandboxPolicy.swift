/// Whether commands run in a sandbox.
public enum SandboxPolicy: String, Sendable, CaseIterable {
  /// If bubblewrap is installed and works.
  case automatic
  /// Commands do not run without it.
  case required
  case off
}
