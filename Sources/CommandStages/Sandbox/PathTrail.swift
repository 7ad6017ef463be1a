import Determinism
import Glibc
import PipelineModel

/// How a path is found: the links on its way, and where it ends.
struct PathTrail {
  var links: [(place: String, target: String)] = []
  /// Absolute, without links.
  var end: String

  /// - Returns: nil where nothing is there, or links lead in a circle.
  init?(_ path: String) {
    var rest = Array(path.splitBytes(at: UInt8(ascii: "/")).reversed())
    end = ""
    while let name = rest.popLast() {
      if name.isEmpty || name.hasSameBytes(as: ".") { continue }
      if name.hasSameBytes(as: "..") {
        end = RelativePath.parent(end) ?? ""
        if end.hasSameBytes(as: "/") { end = "" }
        continue
      }
      let place = "\(end)/\(name)"
      guard let target = PathTrail.target(of: place) else {
        guard Glibc.access(place, F_OK) == 0 else { return nil }
        end = place
        continue
      }
      links.append((place, target))
      guard links.count <= 40 else { return nil }
      if target.utf8.first == UInt8(ascii: "/") { end = "" }
      rest += target.splitBytes(at: UInt8(ascii: "/")).reversed()
    }
    if end.isEmpty { end = "/" }
  }

  /// What a symbolic link says; nil for anything else.
  static func target(of path: String) -> String? {
    var buffer = [UInt8](repeating: 0, count: 4096)
    let n = buffer.withUnsafeMutableBytes {
      readlink(path, $0.baseAddress!.assumingMemoryBound(to: CChar.self), $0.count)
    }
    guard n > 0 else { return nil }
    return String(validating: buffer[..<n], as: UTF8.self)
  }
}
