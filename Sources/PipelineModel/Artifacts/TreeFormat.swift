import Determinism

/// A folder of files in a layout of its own: a data set, images, predictions.
///
/// In the store a tree is a folder with the files under `files/` and their `manifest`; of a source's tree only the
/// manifest is stored. Either way the digest is that of the manifest, so a copy of a data set has its digest. The
/// permissions of a source's files are ignored, since data sets come from file systems without permissions.
public struct TreeFormat: ArtifactFormat {
  public static let name = "tree"
  public static let fileExtension = "tree"

  package static let manifestName = "manifest"
  package static let filesName = "files"

  public init() {}

  /// Of a stored tree: hashes all files.
  public func digest(ofFileAt path: String) throws -> Digest {
    try TreeManifest(ofFolder: path + "/" + TreeFormat.filesName).digest
  }

  public func differences(between a: String, and b: String, limit: Int) throws -> [ArtifactDifference] {
    try TreeFormat.manifest(of: a).differences(to: TreeFormat.manifest(of: b), limit: limit)
  }

  public func summary(ofFileAt path: String) throws -> [String] {
    let manifest = try TreeFormat.manifest(of: path)
    let shown = manifest.entries.prefix(20).map { "\($0.sha256.short)  \($0.size)\t\($0.path)" }
    let rest = manifest.entries.count - shown.count
    return ["\(manifest.entries.count) files, \(manifest.totalSize) bytes"] + shown
      + (rest > 0 ? ["... (\(rest) more)"] : [])
  }

  /// The manifest of a stored tree (a folder) or of a source's tree (a file).
  package static func manifest(of path: String) throws -> TreeManifest {
    let file = try Files.status(path).isFolder ? path + "/" + manifestName : path
    guard let manifest = TreeManifest(bytes: try Files.read(file)) else {
      throw PipelineError(.damaged, "\(file): not a manifest of a tree")
    }
    return manifest
  }
}
