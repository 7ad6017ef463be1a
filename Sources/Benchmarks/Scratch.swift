import Foundation

/// Temporary files of this run; they are removed when it ends.
enum Scratch {
  static let folder = FileManager.default.temporaryDirectory
    .appendingPathComponent("autopanoptic-benchmarks-\(ProcessInfo.processInfo.processIdentifier)").path

  /// Creates an empty folder. An existing one is moved aside and kept until the end: removing it could slow down the next
  /// measurement, since some file systems avoid recently removed inodes.
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
