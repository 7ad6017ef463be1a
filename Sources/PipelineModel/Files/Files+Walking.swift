import Determinism

extension Files {
  /// Relative paths of all files below a folder.
  /// - Parameter followsLinks: whether links to files and folders count as what they lead to; else they are refused.
  package static func walk(
    _ root: String, below prefix: String = "", followsLinks: Bool = true, depth: Int = 0
  ) throws -> [String] {
    guard depth < 64 else {
      throw PipelineError(.badArtifact, "\(root)/\(prefix): folders are too deep; is there a cycle of links?")
    }
    var out = [String]()
    for name in try list(prefix.isEmpty ? root : root + "/" + prefix) {
      let path = prefix.isEmpty ? name : prefix + "/" + name
      guard !name.utf8.contains(0x0A) else {
        throw PipelineError(.badArtifact, "\(root)/\(prefix): a file name holds a line break")
      }
      guard followsLinks || !isLink(root + "/" + path) else {
        throw PipelineError(
          .badArtifact, "\(root)/\(path) is a link, which no artifact can hold; copy what it leads to")
      }
      guard let status = try optionalStatus(root + "/" + path) else {
        throw PipelineError(.badArtifact, "\(root)/\(path) is a broken link; remove or repair it")
      }
      if status.isFolder {
        out += try walk(root, below: path, followsLinks: followsLinks, depth: depth + 1)
      } else if status.isRegular {
        out.append(path)
      } else {
        throw PipelineError(.badArtifact, "\(root)/\(path): neither a file nor a folder")
      }
    }
    return out
  }

  /// Relative paths of the files below a folder, without those whose name, or a folder's, begins with a dot. Links are
  /// refused: what they lead to belongs to somebody else.
  /// - Parameter except: a folder to leave out.
  package static func plainFiles(
    below root: String, except: String, _ prefix: String = "", depth: Int = 0
  ) throws -> [String] {
    guard depth < 64 else { throw PipelineError(.badArtifact, "\(root)/\(prefix): folders too deep") }
    var out = [String]()
    for name in try list(prefix.isEmpty ? root : root + "/" + prefix) where !name.startsWithBytes(of: ".") {
      let path = prefix.isEmpty ? name : prefix + "/" + name
      if (root + "/" + path).hasSameBytes(as: except) { continue }
      guard !name.utf8.contains(0x0A) else {
        throw PipelineError(.badArtifact, "\(root)/\(prefix): a file name holds a line break")
      }
      switch try type(root + "/" + path) {
      case .file: out.append(path)
      case .folder: out += try plainFiles(below: root, except: except, path, depth: depth + 1)
      case nil: break
      case .link, .other:
        throw PipelineError(.badArtifact, "\(root)/\(path): neither a file nor a folder; links are not followed")
      }
    }
    return out
  }

  /// Relative paths of the folders below a folder that hold no files, not even deeper; what they are in comes after
  /// them.
  package static func emptyFolders(below root: String) throws -> [String] {
    var found = [String]()
    func visit(_ prefix: String, depth: Int) throws -> Bool {
      guard depth < 64 else { throw PipelineError(.badArtifact, "\(root)/\(prefix): folders too deep") }
      var isEmpty = true
      for name in try list(prefix.isEmpty ? root : root + "/" + prefix) {
        let path = prefix.isEmpty ? name : prefix + "/" + name
        guard try type(root + "/" + path) == .folder else {
          isEmpty = false
          continue
        }
        if try !visit(path, depth: depth + 1) { isEmpty = false }
      }
      if isEmpty, !prefix.isEmpty { found.append(prefix) }
      return isEmpty
    }
    _ = try visit("", depth: 0)
    return found
  }

  /// Removes them.
  package static func removeEmptyFolders(below root: String) throws -> [String] {
    let folders = try emptyFolders(below: root)
    for folder in folders { try remove(root + "/" + folder) }
    return folders
  }
}
