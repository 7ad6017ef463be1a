import ArtifactStore
import Determinism
import Glibc
import PipelineModel

extension Execution {
  /// Records what a source found.
  func recordSource(_ observed: [String: Artifact]) throws -> WorkOutcome {
    let scratch = try store.makeScratch()
    defer { try? Files.remove(scratch) }
    let written = try observed.sorted { $0.key < $1.key }.map { name, artifact in
      let tree = sources[artifact.digest]!
      return artifact.isExternal
        ? try store.write(tree.manifest, to: "\(scratch)/out.\(name)")
        : try copy(tree, as: artifact, to: "\(scratch)/out.\(name)")
    }
    let result = Result(
      written: Dictionary(uniqueKeysWithValues: zip(observed.keys.sorted(), written)), elements: [], trace: Trace(),
      facts: [:], started: Timestamp.now(), seconds: 0, scratch: scratch)
    let isRecorded = try store.outputs(of: order.key) != nil
    try store.commit(written, record: isRecorded ? nil : record(outputs: observed, result), scratch: scratch)
    return .executed(observed, seconds: 0)
  }

  /// Copies the files of a source, to be stored themselves.
  private func copy(_ tree: SourceTree, as artifact: Artifact, to target: String) throws -> Store.Written {
    if artifact.kind == FileFormat.name {
      try Files.copy("\(tree.root)/\(tree.manifest.entries[0].path)", to: target, expecting: artifact.digest)
      // Its content is its name: the same file has one mode, wherever it came from.
      guard chmod(target, 0o444) == 0 else { throw Files.failure("protect", target) }
      return try store.identify(StageContext.WrittenFile(path: target), kind: FileFormat.name)
    }
    let files = target + "/" + TreeFormat.filesName
    try Files.makeFolder(files)
    for entry in tree.manifest.entries {
      let file = "\(files)/\(entry.path)"
      try Files.makeFolder(Checkout.folder(ofFile: file))
      try Files.copy("\(tree.root)/\(entry.path)", to: file)
    }
    let written = try store.identify(StageContext.WrittenFile(path: target), kind: TreeFormat.name)
    guard written.artifact.digest == artifact.digest else {
      throw PipelineError(.badArtifact, "\(tree.root) changed while it was copied; run again")
    }
    return written
  }
}
