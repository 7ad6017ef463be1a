import Determinism
import PipelineModel

/// A virtual environment that `uv sync --frozen` makes from a lock file.
///
/// It takes wheels only: building a package would execute code of the package.
struct UvEnvironment {
  private let lock: String
  private let extras: [String]
  private let name: String

  init(_ lock: String, extras: [String], _ name: String) {
    (self.lock, self.extras, self.name) = (lock, extras, name)
  }

  func folder(on host: StageHost) throws -> String {
    let project = RelativePath.parent(lock) ?? "/"
    var builder = DigestBuilder()
    for file in [lock, project + "/pyproject.toml"] {
      guard Files.exists(file) else {
        throw PipelineError(
          .missingTool,
          "environment '\(name)': there is no file \(file); 'uv lock' writes uv.lock beside pyproject.toml")
      }
      builder.update(try Files.sha256(file))
    }
    builder.update(extras.joined(separator: " "))
    let made = MadeEnvironment(kind: "uv", name: name, source: builder.finalize(), host: host)
    return try made.made { folder in
      // Without a version uv would start whatever a file .python-version names, and read settings of the project.
      try made.run(
        ["uv", "sync", "--frozen", "--no-install-project", "--no-build", "--no-config", "--project", project]
          + ["--python", try version(project)]
          + extras.flatMap { ["--extra", $0] },
        variables: ["UV_PROJECT_ENVIRONMENT": folder, "UV_LINK_MODE": "copy", "UV_COMPILE_BYTECODE": "0"], in: project)
    }
  }

  /// What Python the project needs: the version in `.python-version`, else what the lock file requires.
  private func version(_ project: String) throws -> String {
    func isVersion(_ text: String) -> Bool {
      !text.isEmpty && text.utf8.allSatisfy { (0x30...0x39).contains($0) || "<>=!~.,* ".utf8.contains($0) }
    }
    if let line = TextLines.split((try? Files.read("\(project)/.python-version", limit: 1 << 16)) ?? []).first {
      let text = String(decoding: line, as: UTF8.self)
      if isVersion(text) { return text }
    }
    for line in TextLines.split(try Files.read(lock, limit: 1 << 28)) {
      let text = String(decoding: line, as: UTF8.self)
      guard text.hasPrefix("requires-python = \""), text.hasSuffix("\"") else { continue }
      let version = String(text.dropFirst(19).dropLast())
      if isVersion(version) { return version }
    }
    return "3"
  }
}
