import Determinism
import Foundation
import PipelineModel

/// Looks for programs as a shell does.
struct ToolFinder: Sendable {
  /// Folders with colons between them.
  let searchPath: String

  static let standardPath = "/usr/local/bin:/usr/bin:/bin"

  /// The absolute path of an executable file; nil where there is none.
  func find(_ name: String) -> String? {
    if name.utf8.first == UInt8(ascii: "/") { return isExecutable(name) ? name : nil }
    guard !name.utf8.contains(UInt8(ascii: "/")) else { return nil }
    for folder in searchPath.splitBytes(at: UInt8(ascii: ":")) where folder.utf8.first == UInt8(ascii: "/") {
      let path = "\(folder)/\(name)"
      if isExecutable(path) { return path }
    }
    return nil
  }

  private func isExecutable(_ path: String) -> Bool {
    // What these show depends on who looks.
    guard !["/proc", "/sys"].contains(where: { RelativePath.contains($0, PathTrail(path)?.end ?? path) }) else {
      return false
    }
    return access(path, X_OK) == 0 && (try? Files.optionalStatus(path))?.isRegular == true
  }
}
