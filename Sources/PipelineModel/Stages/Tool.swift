import Determinism

/// A program on this machine.
package struct Tool: Sendable {
  package let path: String
  /// What `stat` said of the file whose digest is in the key; nil where something else is.
  package var stamp: Files.Status?

  package init(path: String, stamp: Files.Status? = nil) {
    self.path = path
    self.stamp = stamp
  }

  /// - Throws: where the file is not the one whose digest was taken.
  package func requireUnchanged(stage: String) throws {
    guard let stamp, try Files.optionalStatus(path) != stamp else { return }
    throw PipelineError(
      .commandFailed,
      "'\(stage)': the program \(path) changed after its digest was taken for the key; nothing was stored. Run again")
  }
}

/// What a command needs of the machine, and what of it is in the key.
package struct ToolIdentity: Sendable {
  /// In the key: `tool awk` with the digest of its file, or `tool version` with what the version command says.
  package var traits: [String: String] = [:]
  /// By name; without those of the environment.
  package var paths: [String: Tool] = [:]
  /// Its digest is a trait.
  package var environment: ResolvedEnvironment?
  /// What people should know before the stage is executed.
  package var notices: [String] = []

  package init(traits: [String: String] = [:], paths: [String: Tool] = [:]) {
    self.traits = traits
    self.paths = paths
  }
}
