import Foundation

/// Files that a reader may open: those that a manifest names, and no others.
///
/// A data set is read through this, never by listing its folder: a file that came after the manifest was taken would be
/// read without being in the key. Whoever makes a tree from a manifest checks each file as it is read.
public protocol FileTree: Sendable {
  /// For messages: where the files lie.
  var root: String { get }
  /// Relative paths, in the order of their bytes.
  var paths: [String] { get }
  func contains(_ path: String) -> Bool
  /// The whole content of a file.
  /// - Throws: `DiagnosableError` for a path that the tree does not name, or where the file is no longer what it says.
  func read(_ path: String, limit: Int) throws -> [UInt8]
}

extension FileTree {
  public func read(_ path: String) throws -> [UInt8] { try read(path, limit: 1 << 30) }

  /// A path as people find the file.
  public func place(_ path: String) -> String { path.isEmpty ? root : "\(root)/\(path)" }

  /// Paths below a folder, relative to it, in the order of their bytes.
  public func paths(below folder: String) -> [String] {
    guard !folder.isEmpty else { return paths }
    let prefix = folder + "/"
    return paths.filter { $0.startsWithBytes(of: prefix) }.map {
      String(decoding: $0.utf8.dropFirst(prefix.utf8.count), as: UTF8.self)
    }
  }

  /// Whether some file lies below a folder.
  public func hasFolder(_ folder: String) -> Bool {
    let prefix = folder + "/"
    return paths.contains { $0.startsWithBytes(of: prefix) }
  }

  /// Names of the folders directly below a folder that hold files, in the order of their bytes.
  public func folders(in folder: String) -> [String] {
    var seen = Set<ByteName>()
    for path in paths(below: folder) {
      guard let slash = path.utf8.firstIndex(of: UInt8(ascii: "/")) else { continue }
      seen.insert(ByteName(path[..<slash]))
    }
    return seen.sorted().map(\.text)
  }
}

/// The files of a folder as it is now, for commands that were given a folder and keep no key.
public struct FolderTree: FileTree {
  public let root: String
  public let paths: [String]
  private let known: Set<ByteName>

  /// Lists a folder and all below it; files and folders whose names begin with a dot are left out.
  /// - Parameter folders: only what lies below these; nil means all.
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
    guard depth < 64 else { throw FileFailure("list", place, code: 0, reason: "folders too deep; a link in a circle?") }
    for name in try FileIO.list(place) where !name.startsWithBytes(of: ".") {
      let path = folder.isEmpty ? name : "\(folder)/\(name)"
      switch FileIO.kind("\(root)/\(path)") {
      case .folder: try walk(root, path, depth: depth + 1, into: &found)
      case .file: found.append(path)
      case .other: throw FileFailure("read", "\(root)/\(path)", code: 0, reason: "neither a file nor a folder")
      case nil: throw FileFailure("read", "\(root)/\(path)", code: 0, reason: "a link that leads nowhere")
      }
    }
  }

  public func contains(_ path: String) -> Bool { known.contains(ByteName(path)) }

  public func read(_ path: String, limit: Int) throws -> [UInt8] {
    try FileIO.read(path.isEmpty ? root : "\(root)/\(path)", limit: limit)
  }
}
