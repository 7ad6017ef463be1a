import Determinism
import PipelineModel

/// A folder of a source as a run looked at it.
package struct SourceTree: Sendable {
  package let root: String
  package let manifest: TreeManifest
  /// What `stat` said of its files and folders; the root is the empty name.
  let stamps: [ByteName: Files.Status]

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
