import Determinism

/// An environment as it was found on this machine.
package struct ResolvedEnvironment: Sendable {
  /// A folder or file of this machine, and where a sandbox shows it.
  package struct Mount: Sendable {
    package let source: String
    package let place: String

    package init(_ source: String, at place: String) { (self.source, self.place) = (source, place) }
  }

  package let description: EnvironmentDescription
  /// What there is, and nothing of where it is: the digest of it is in the key.
  package let contents: CanonicalValue
  package let digest: Digest
  package var mounts: [Mount] = []
  /// Links that a sandbox needs: programs name each other by the paths that they were installed at.
  package var links: [Mount] = []
  /// Folders of this machine with its programs.
  package var programFolders: [String] = []
  /// A folder of this machine that takes the place of the system's in a sandbox.
  package var root: String?
  /// Set for every program.
  package var variables: [String: String]
  /// Says whether anything changed since it was looked at.
  package var isUnchanged: @Sendable () throws -> Bool = { true }

  package init(_ description: EnvironmentDescription, contents: CanonicalValue) {
    self.description = description
    self.contents = contents
    digest = contents.digest
    variables = description.variables
  }

  /// Where a sandbox shows a path of this machine.
  package func place(of path: String) -> String {
    for mount in mounts where RelativePath.contains(mount.source, path) {
      return mount.place + String(decoding: path.utf8.dropFirst(mount.source.utf8.count), as: UTF8.self)
    }
    return path
  }

  /// - Throws: where files of it changed after its digest was taken.
  package func requireUnchanged(stage: String) throws {
    guard try !isUnchanged() else { return }
    throw PipelineError(
      .commandFailed,
      "'\(stage)': the environment '\(description.name)' changed after its digest was taken for the key; nothing was "
        + "stored. Run again")
  }
}
