import ArtifactStore
import Determinism
import PipelineModel

/// A folder of a source as a run looked at it.
package struct SourceTree: Sendable {
  package let root: String
  package let manifest: TreeManifest
  /// What `stat` said of its files and folders; the root is the empty name.
  let stamps: [ByteName: Files.Status]

  package init(root: String, manifest: TreeManifest, stamps: [ByteName: Files.Status]) {
    self.root = root
    self.manifest = manifest
    self.stamps = stamps
  }

  /// A tree whose manifest is in the store. Files are taken as unchanged where their sizes are: their bytes are checked
  /// as they are read.
  /// - Throws: code `missingSource` where the folder holds other files.
  package init(_ digest: Digest, at root: String, for stage: String, in store: Store) throws {
    self.root = root
    let stored = Artifact(kind: TreeFormat.name, digest: digest, isExternal: true)
    try store.waitUntilSeen(stored)
    manifest = try TreeFormat.manifest(of: store.objectPath(stored))
    var stamps = [ByteName: Files.Status]()
    for place in [""] + manifest.folders { stamps[ByteName(place)] = try Files.optionalStatus(root + "/" + place) }
    for entry in manifest.entries {
      let status = try Files.optionalStatus(root + "/" + entry.path)
      guard status?.size == entry.size else {
        throw PipelineError(
          .missingSource, "'\(stage)' needs \(root)/\(entry.path) as it was, with \(entry.size) bytes; it changed")
      }
      stamps[ByteName(entry.path)] = status
    }
    self.stamps = stamps
  }

  /// All trees that were observed, by their digests.
  package static func trees(of observations: [Int: SourceObservation]) -> [Digest: SourceTree] {
    var trees = [Digest: SourceTree]()
    for (_, observation) in observations.sorted(by: { $0.key < $1.key }) {
      for (name, digest) in observation.digests where trees[digest] == nil {
        trees[digest] = SourceTree(
          root: observation.root, manifest: observation.manifests[name]!, stamps: observation.stamps)
      }
    }
    return trees
  }
}
