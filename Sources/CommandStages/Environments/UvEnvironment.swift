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
      try made.run(
        ["uv", "sync", "--frozen", "--no-install-project", "--no-build", "--project", project]
          + extras.flatMap { ["--extra", $0] },
        variables: ["UV_PROJECT_ENVIRONMENT": folder, "UV_LINK_MODE": "copy"], in: project)
    }
  }
}
