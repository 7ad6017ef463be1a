import Foundation

/// Files of this run, below the folder for temporary ones; gone when it ends.
enum Scratch {
  static let folder = FileManager.default.temporaryDirectory
    .appendingPathComponent("autopanoptic-benchmarks-\(ProcessInfo.processInfo.processIdentifier)").path

  /// An empty folder of that name. What had it before stays aside until the end: removing it could slow down what is
  /// measured next, since some file systems avoid inodes that were removed a moment ago.
  static func make(_ name: String) throws -> String {
    let path = "\(folder)/\(name)"
    if FileManager.default.fileExists(atPath: path) {
      try FileManager.default.moveItem(atPath: path, toPath: "\(folder)/aside-\(UUID().uuidString)")
    }
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    return path
  }

  static func remove() { try? FileManager.default.removeItem(atPath: folder) }
}
