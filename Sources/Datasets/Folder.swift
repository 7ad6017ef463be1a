import Determinism
import Foundation

/// The few file operations that readers and generators need.
enum Folder {
  static func create(_ path: String) throws {
    do {
      try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    } catch {
      throw DatasetError(.unwritable, at: path, "cannot make the folder: \(error.localizedDescription)")
    }
  }

  static func write(_ bytes: [UInt8], to path: String) throws {
    do {
      try Data(bytes).write(to: URL(fileURLWithPath: path))
    } catch {
      throw DatasetError(.unwritable, at: path, "cannot write the file: \(error.localizedDescription)")
    }
  }

  static func read(_ path: String) throws -> [UInt8] {
    guard exists(path) else { throw DatasetError(.missing, at: path, "no such file") }
    do {
      return Array(try Data(contentsOf: URL(fileURLWithPath: path)))
    } catch {
      throw DatasetError(.missing, at: path, "cannot read the file: \(error.localizedDescription)")
    }
  }

  static func exists(_ path: String) -> Bool { FileManager.default.fileExists(atPath: path) }

  static func isFolder(_ path: String) -> Bool {
    var folder: ObjCBool = false
    return FileManager.default.fileExists(atPath: path, isDirectory: &folder) && folder.boolValue
  }

  /// Names in a folder, sorted by their bytes; hidden ones left out.
  static func names(in path: String) throws -> [String] {
    guard isFolder(path) else { throw DatasetError(.missing, at: path, "no such folder") }
    do {
      return try FileManager.default.contentsOfDirectory(atPath: path).filter { !$0.hasPrefix(".") }
        .sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    } catch {
      throw DatasetError(.missing, at: path, "cannot list the folder: \(error.localizedDescription)")
    }
  }

  /// Paths of all files below a folder, from there on, sorted by their bytes folder by folder; hidden ones left out.
  static func files(below path: String) throws -> [String] {
    try names(in: path).flatMap { name in
      isFolder("\(path)/\(name)") ? try files(below: "\(path)/\(name)").map { "\(name)/\($0)" } : [name]
    }
  }

  /// `7` with 12 digits is `000000000007`.
  static func paddedName(_ number: Int, digits: Int) -> String {
    let text = String(number)
    return String(repeating: "0", count: max(0, digits - text.count)) + text
  }

  /// The results of `body` in index order; of several errors, the one of the lowest index.
  static func inParallel<T: Sendable>(_ count: Int, _ body: (Int) throws -> T) throws -> [T] {
    try Parallel.map(count) { i in Result { try body(i) } }.map { try $0.get() }
  }
}
