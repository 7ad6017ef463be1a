import Determinism
import Glibc
import PipelineModel

/// Scripts of pyenv that start the program of a chosen version.
enum PyenvShim {
  /// The program that a shim stands for, of the version that `PYENV_VERSION` or pyenv's own file names; nil for any other
  /// file.
  static func program(behind path: String) -> String? {
    guard let folder = RelativePath.parent(path), RelativePath.name(folder) == "shims",
      let root = RelativePath.parent(folder), Files.exists(root + "/versions")
    else { return nil }
    let named = getenv("PYENV_VERSION").map { String(cString: $0) }
    let file = TextLines.split((try? Files.read(root + "/version", limit: 1 << 16)) ?? [])
      .map { String(decoding: $0, as: UTF8.self) }
    let installed = (try? FileIO.list(root + "/versions")) ?? []
    for version in [named].compactMap(\.self) + file + installed.reversed() {
      let program = "\(root)/versions/\(version)/bin/\(RelativePath.name(path))"
      if !version.isEmpty, RelativePath.problem(version) == nil, access(program, X_OK) == 0 { return program }
    }
    return "\(root)/versions"
  }
}
