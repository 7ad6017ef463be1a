import ArtifactStore
import Determinism
import Foundation
import PipelineModel

/// The files found in a source's folder.
package struct SourceObservation: Sendable {
  package let root: String
  let manifests: [String: TreeManifest]
  package let digests: [String: Digest]
  /// What `stat` said of each file and of each folder that holds some, before they were read; the root is the empty
  /// name.
  let stamps: [ByteName: Files.Status]
  /// Whether the store keeps the files themselves.
  package let isCopied: Bool
}

/// Examines the folders of sources. A file whose size, times and inode have not changed is not read again; `audit` does
/// not rely on that.
package struct SourceScanner {
  package let store: Store
  /// Values of variables, such as `COCO`.
  package let variables: [String: String]
  package let interruption: Interruption
  package let progress: (_ done: Int, _ of: Int, _ detail: String) -> Void

  package init(
    store: Store, variables: [String: String], interruption: Interruption,
    progress: @escaping (_ done: Int, _ of: Int, _ detail: String) -> Void
  ) {
    self.store = store
    self.variables = variables
    self.interruption = interruption
    self.progress = progress
  }

  /// - Throws: code `missingSource` that says which variable to set, or which file is missing.
  package func observe(_ node: Pipeline.StageNode, _ folder: SourceFolder) throws -> SourceObservation {
    let root = try root(of: folder, node)
    var selected = [String: [ByteName]]()
    for port in node.kind.outputs {
      var files = [String]()
      for part in folder.contents(port.name) {
        let found = try list(part, below: root, folder, port: port, node: node)
        files += found.filter { folder.selects($0, port.name) }
      }
      guard !files.isEmpty else {
        throw PipelineError(
          .missingSource, "stage '\(node.name)': \(root) holds no file for its output '\(port.name)'")
      }
      selected[port.name] = files.map { ByteName($0) }
    }
    let all = Set(selected.values.joined()).sorted()
    var stamps = [ByteName: Files.Status]()
    for place in all.map(\.text) + [""] + TreeManifest.folders(of: all.map(\.text)) {
      stamps[ByteName(place)] = try Files.status(place.isEmpty ? root : root + "/" + place)
    }
    var hashes = try hash(all, stamps, below: root)
    if folder.isCopied { for file in all { hashes[file]!.isExecutable = stamps[file]!.isExecutable } }
    let manifests = selected.mapValues { TreeManifest(Set($0).map { hashes[$0]! }) }
    return SourceObservation(
      root: root, manifests: manifests, digests: digests(manifests, of: node), stamps: stamps,
      isCopied: folder.isCopied)
  }

  /// Of an output that is one file, the digest of its bytes.
  private func digests(_ manifests: [String: TreeManifest], of node: Pipeline.StageNode) -> [String: Digest] {
    Dictionary(
      uniqueKeysWithValues: node.kind.outputs.map { port in
        let manifest = manifests[port.name]!
        return (port.name, port.kind == FileFormat.name ? manifest.entries[0].sha256 : manifest.digest)
      })
  }

  private func list(
    _ part: String, below root: String, _ folder: SourceFolder, port: OutputPort, node: Pipeline.StageNode
  ) throws -> [String] {
    guard folder.isCopied else {
      let place = part.isEmpty ? root : "\(root)/\(part)"
      if RelativePath.contains(place, store.path) {
        throw PipelineError(
          .missingSource, "stage '\(node.name)': \(place) holds the store; keep data in a folder of its own")
      }
      return try list(part, below: root, node: node)
    }
    guard port.kind == FileFormat.name else { return try Files.plainFiles(below: root, except: store.path) }
    switch try Files.type("\(root)/\(part)") {
    case .file: return [part]
    case .folder:
      throw PipelineError(
        .missingSource, "stage '\(node.name)': \(root)/\(part) is a folder; write 'file:\(part)/' for all its files")
    case nil: throw PipelineError(.missingSource, "stage '\(node.name)': there is no file \(root)/\(part)")
    case .link, .other:
      throw PipelineError(
        .missingSource, "stage '\(node.name)': \(root)/\(part) is no plain file; links are not followed")
    }
  }

  private func root(of folder: SourceFolder, _ node: Pipeline.StageNode) throws -> String {
    let (given, shown): (String, String)
    switch folder.root {
    case .folder(let path): (given, shown) = (path, path)
    case .variable(let variable):
      guard let value = variables[variable], !value.isEmpty else {
        throw PipelineError(
          .missingSource,
          "stage '\(node.name)' (\(node.kind.name)): set \(variable)=/path/to/the/data in the environment, "
            + "or --set \(variable)=/path")
      }
      (given, shown) = (value, "\(variable)=\(value)")
    }
    let root = Files.absolute(given)
    guard try Files.optionalStatus(root)?.isFolder == true else {
      throw PipelineError(.missingSource, "stage '\(node.name)': \(shown) is not a folder")
    }
    return root
  }

  private func list(_ part: String, below root: String, node: Pipeline.StageNode) throws -> [String] {
    let path = part.isEmpty ? root : root + "/" + part
    guard let status = try Files.optionalStatus(path) else {
      let place = node.kind.sourceVariable.map { " (\($0)=\(root))" } ?? ""
      throw PipelineError(
        .missingSource, "stage '\(node.name)': \(path) is missing; \(node.kind.summary)\(place)")
    }
    return status.isFolder ? try Files.walk(root, below: part) : [part]
  }

  private func hash(
    _ files: [ByteName], _ stamps: [ByteName: Files.Status], below root: String
  ) throws -> [ByteName: TreeManifest.Entry] {
    let memory = try FileDigestCache(store: store.path, isObserved: store.isObserved, root: root)
    var result = [ByteName: TreeManifest.Entry]()
    var unknown = [(path: ByteName, status: Files.Status)]()
    for file in files {
      let status = stamps[file]!
      if let digest = memory.digest(of: file.text, status) {
        result[file] = TreeManifest.Entry(path: file.text, size: status.size, sha256: digest)
      } else {
        unknown.append((file, status))
      }
    }
    // In portions, each remembered at once: an interrupted first look continues where it was.
    var done = 0
    var position = 0
    let total = unknown.lazy.map(\.status.size).sumSaturated()
    while position < unknown.count {
      var end = position
      var bytes = 0
      while end < unknown.count, end - position < 256, bytes < 256 << 20 {
        bytes = bytes.addingSaturated(unknown[end].status.size)
        end += 1
      }
      let portion = Array(unknown[position..<end])
      let now = FileDigestCache.now()
      let digests: [Result<Digest, any Error>] = Parallel.map(portion.count) { i in
        Result { try Files.sha256(root + "/" + portion[i].path.text, while: { !interruption.isRequested }) }
      }
      var fresh = [(String, Files.Status, Digest)]()
      for (item, digest) in zip(portion, digests) {
        let digest = try digest.get()
        fresh.append((item.path.text, item.status, digest))
        result[item.path] = TreeManifest.Entry(path: item.path.text, size: item.status.size, sha256: digest)
      }
      try memory.remember(fresh, at: now)
      done = done.addingSaturated(bytes)
      position = end
      progress(done, total, "\(position) of \(unknown.count) files of \(root)")
    }
    return result
  }
}
