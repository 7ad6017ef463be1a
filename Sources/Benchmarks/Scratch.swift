import Foundation

/// Files of this run, below the folder for temporary ones; gone when it ends.
enum Scratch {
  static let folder = FileManager.default.temporaryDirectory
    .appendingPathComponent("autopanoptic-benchmarks-\(ProcessInfo.processInfo.processIdentifier)").path

  /// An empty folder of that name.
  static func make(_ name: String) throws -> String {
    let path = "\(folder)/\(name)"
    try? FileManager.default.removeItem(atPath: path)
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    return path
  }

  static func remove() { try? FileManager.default.removeItem(atPath: folder) }
}
