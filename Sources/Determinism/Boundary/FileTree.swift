import Foundation

/// The files that a reader may open: those that a manifest lists, and no others.
///
/// A data set is read through this, never by listing its folder: a file added after the manifest was made would be
/// read without being part of the key. A tree made from a manifest checks each file as it is read.
public protocol FileTree: Sendable {
  /// The folder that holds the files, for messages.
  var root: String { get }
  /// All paths, relative to `root`, in the order of their bytes.
  var paths: [String] { get }
  /// Whether `paths` includes a path, compared by bytes.
  func contains(_ path: String) -> Bool
  /// The whole content of a file of at most `limit` bytes.
  /// - Throws: `DiagnosableError` for a path that the tree does not list, or for a file that no longer matches it.
  func read(_ path: String, limit: Int) throws -> [UInt8]
}

extension FileTree {
  /// The whole content of a file of at most 1 GiB.
  public func read(_ path: String) throws -> [UInt8] { try read(path, limit: 1 << 30) }

  /// A path with the root in front, for messages.
  public func place(_ path: String) -> String { path.isEmpty ? root : "\(root)/\(path)" }

  /// Paths below a folder, relative to it, in the order of their bytes.
  public func paths(below folder: String) -> [String] {
    guard !folder.isEmpty else { return paths }
    let prefix = folder + "/"
    return paths.filter { $0.startsWithBytes(of: prefix) }.map {
      String(decoding: $0.utf8.dropFirst(prefix.utf8.count), as: UTF8.self)
    }
  }

  /// Whether any file is below a folder.
  public func hasFolder(_ folder: String) -> Bool {
    let prefix = folder + "/"
    return paths.contains { $0.startsWithBytes(of: prefix) }
  }

  /// The names of a folder's subfolders that hold files at any depth, in the order of their bytes.
  public func folders(in folder: String) -> [String] {
    var seen = Set<ByteName>()
    for path in paths(below: folder) {
      guard let slash = path.utf8.firstIndex(of: UInt8(ascii: "/")) else { continue }
      seen.insert(ByteName(path[..<slash]))
    }
    return seen.sorted().map(\.text)
  }
}

/// The files of a folder as they are now, for commands that take a folder and compute no key.
public struct FolderTree: FileTree {
  public let root: String
  public let paths: [String]
  private let known: Set<ByteName>

  /// Lists a folder recursively; files and folders whose names begin with a dot are left out.
  /// - Parameter folders: the subfolders to list; nil lists everything.
  public init(_ root: String, folders: [String]? = nil) throws(FileFailure) {
    self.root = root
    var found = [String]()
    for folder in folders ?? [""] { try FolderTree.walk(root, folder, depth: 0, into: &found) }
    paths = found.sortedByBytes()
    known = Set(found.map { ByteName($0) })
  }

  private static func walk(
    _ root: String, _ folder: String, depth: Int, into found: inout [String]
  ) throws(FileFailure) {
    let place = folder.isEmpty ? root : "\(root)/\(folder)"
    guard depth < 64 else {
      throw FileFailure("list", place, code: 0, reason: "folders too deep; is there a cycle of links?")
    }
    for name in try FileIO.list(place) where !name.startsWithBytes(of: ".") {
      let path = folder.isEmpty ? name : "\(folder)/\(name)"
      switch FileIO.kind("\(root)/\(path)") {
      case .folder: try walk(root, path, depth: depth + 1, into: &found)
      case .file: found.append(path)
      case .other: throw FileFailure("read", "\(root)/\(path)", code: 0, reason: "neither a file nor a folder")
      case nil: throw FileFailure("read", "\(root)/\(path)", code: 0, reason: "a dangling link")
      }
    }
  }

  public func contains(_ path: String) -> Bool { known.contains(ByteName(path)) }

  public func read(_ path: String, limit: Int) throws -> [UInt8] {
    try FileIO.read(path.isEmpty ? root : "\(root)/\(path)", limit: limit)
  }
}
