import ArtifactStore
import Determinism
import Foundation
import PipelineModel

extension Execution {
  /// Writes the element of an array that is an input, so that every input is a file of its digest.
  func writeElement(_ scratch: String) throws -> Store.Written? {
    guard let element = order.element, !element.ports.isEmpty else { return nil }
    guard case .file = element.value else { return try store.write(element.value, from: "", to: scratch + "/each") }
    if store.hasObject(element.value.artifact), try store.damage(of: element.value.artifact) == nil { return nil }
    return try store.write(element.value, from: folder(of: element.origin), to: scratch + "/each")
  }

  /// Verifies the inputs and says where they lie, and what the system says of those in the store.
  func loadInputs(
    element: Store.Written?
  ) throws -> ([String: [InputArtifact]], fingerprints: [Artifact: Fingerprint]) {
    var fingerprints = [Artifact: Fingerprint]()
    let inputs = try order.inputs.mapValues { artifacts in
      try artifacts.map { artifact in
        if artifact.isExternal {
          guard let tree = sources[artifact.digest] else {
            preconditionFailure("\(order.stage): no source with \(artifact.digest.short)")
          }
          return InputArtifact(
            kind: artifact.kind, digest: artifact.digest, path: tree.root, manifest: tree.manifest)
        }
        if let element, artifact == element.artifact {
          return InputArtifact(kind: artifact.kind, digest: artifact.digest, path: element.path, manifest: nil)
        }
        fingerprints[artifact] = try store.verify(artifact) { !interruption.isRequested }
        let path = store.objectPath(artifact)
        guard artifact.kind == TreeFormat.name else {
          return InputArtifact(kind: artifact.kind, digest: artifact.digest, path: path, manifest: nil)
        }
        return InputArtifact(
          kind: artifact.kind, digest: artifact.digest, path: path + "/" + TreeFormat.filesName,
          manifest: try TreeFormat.manifest(of: path))
      }
    }
    return (inputs, fingerprints)
  }

  /// An object that changed while the stage read it would lead to a result that its key does not describe.
  func refuseChangedObjects(_ fingerprints: [Artifact: Fingerprint]) throws {
    for (artifact, fingerprint) in fingerprints.sorted(by: { $0.key < $1.key })
    where try !store.isUnchanged(artifact, since: fingerprint) {
      throw PipelineError(
        .damaged,
        "\(store.objectPath(artifact)) changed while '\(order.stage)' was reading it; nothing was stored. "
          + "'audit' tells whether it is damaged, 'repair' restores it; then run again")
    }
  }

  /// Where the files of the tree lie that an element is of.
  private func folder(of element: Record.Element) throws -> String {
    if let tree = sources[element.array] { return tree.root }
    let tree = store.origin(of: element)
    try store.verify(tree)
    return store.objectPath(tree) + "/" + TreeFormat.filesName
  }

  /// A file that changed while the stage read it would lead to a result that its key does not describe.
  ///
  /// Stages that read through the manifest check every file as they read it. Programs see the folder itself, so its
  /// folders count as well: one that was swapped for another and back has another time of change.
  func refuseChangedSources() throws {
    for artifact in order.inputs.values.joined() where artifact.isExternal {
      guard let tree = sources[artifact.digest] else { continue }
      let folders = node.prepared.tools == nil ? [] : [""] + tree.manifest.folders
      for place in folders + tree.manifest.entries.map(\.path) {
        let path = place.isEmpty ? tree.root : tree.root + "/" + place
        guard try Files.optionalStatus(path) == tree.stamps[ByteName(place)] else {
          throw PipelineError(
            .badArtifact, "\(path) changed while '\(order.stage)' was reading it; nothing was stored. Run again")
        }
      }
    }
  }
}
