import ArtifactStore
import Determinism
import PipelineModel

/// Finds elements: each lies in the store on its own, and in its array or tree.
struct ElementLookup {
  let store: Store

  func element(_ digest: Digest, _ origin: Record.Element) throws -> ElementValue {
    let own = Artifact(kind: JSONFormat.name, digest: digest)
    if origin.kind == JSONFormat.name, store.hasObject(own), try store.damage(of: own) == nil {
      return .json(try JSONFormat.read(store.objectPath(own)))
    }
    let array = store.origin(of: origin)
    let elements = try store.elements(of: array)
    guard elements.indices.contains(origin.index), elements[origin.index].artifact.digest == digest else {
      throw PipelineError(
        .damaged, "\(store.objectPath(array)): its element \(origin.index) is not \(digest.short), as a record says")
    }
    return elements[origin.index]
  }
}
