import ArtifactStore
import Determinism
import PipelineModel

/// Finds the artifact that a file or folder on the disk is a copy of, by its content.
public struct FileIdentity {
  private let store: Store

  public init(store: Store) { self.store = store }

  public struct Found: Sendable {
    public let artifact: Artifact
    /// Where the file is one of a tree: its path there.
    public let place: String?
  }

  /// - Throws: code `unknownID` where no record made anything of this content.
  public func find(_ path: String) throws -> Found {
    guard let status = try Files.optionalStatus(path) else {
      throw PipelineError(.unknownID, "\(path): neither a file, nor an ID or name in \(store.path)")
    }
    let records = try Lookup(store: store).records().sorted { ($0.started, $0.key) > ($1.started, $1.key) }
    if status.isFolder {
      let digest = try TreeManifest(ofFolder: path).digest
      if let found = artifact(TreeFormat.name, digest, records) { return Found(artifact: found, place: nil) }
      throw unknown(path, "no record made a folder with these files")
    }
    let sha256 = try Files.sha256(path)
    for record in records {
      for (name, artifact) in record.outputs.sorted(by: { $0.key < $1.key })
      where record.checksums[name] == sha256 && artifact.kind != TreeFormat.name {
        return Found(artifact: artifact, place: nil)
      }
    }
    if let found = try byContent(path, records) { return Found(artifact: found, place: nil) }
    for record in records {
      for artifact in record.outputs.values.sorted() where artifact.kind == TreeFormat.name {
        guard let manifest = try? TreeFormat.manifest(of: store.objectPath(artifact)) else { continue }
        if let entry = manifest.entries.first(where: { $0.sha256 == sha256 }) {
          return Found(artifact: artifact, place: entry.path)
        }
      }
    }
    throw unknown(path, "no record made a file with these bytes (SHA-256 \(sha256.short))")
  }

  private func unknown(_ path: String, _ why: String) -> PipelineError {
    PipelineError(.unknownID, "\(path): \(why), as far as \(store.path) knows")
  }

  private func artifact(_ kind: String, _ digest: Digest, _ records: [Record]) -> Artifact? {
    for record in records {
      if let found = record.outputs.values.sorted().first(where: { $0.kind == kind && $0.digest == digest }) {
        return found
      }
    }
    return nil
  }

  /// Of a file that another program wrote again with the same content.
  private func byContent(_ path: String, _ records: [Record]) throws -> Artifact? {
    if path.hasEnding(".json") {
      guard let value = try? JSONFormat.read(path) else { return nil }
      for kind in JSONFormat.kinds.sorted() {
        if let found = artifact(kind, value.digest, records) { return found }
      }
      return nil
    }
    let own: Set<String> = [FileFormat.name, TreeFormat.name]
    for (kind, format) in store.registry.formats.sorted(by: { $0.key < $1.key })
    where !own.contains(kind) && !JSONFormat.kinds.contains(kind) {
      let ending = ".\(type(of: format).outsideExtension)"
      guard path.utf8.count > ending.utf8.count, path.utf8.suffix(ending.utf8.count).elementsEqual(ending.utf8),
        let digest = try? format.digest(ofFileAt: path)
      else { continue }
      return artifact(kind, digest, records)
    }
    return nil
  }
}
