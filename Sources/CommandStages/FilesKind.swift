import Determinism
import PipelineModel

/// Which files beside the pipeline file belong to a `files` stage.
struct FilesParameters: StageParameters {
  /// Relative to the folder of the pipeline file; empty for that folder itself.
  var folder = ""
  /// Patterns of paths below it.
  var select = ["**"]

  static let summaries = [
    "folder": "relative to the folder of the pipeline file; empty for that folder itself",
    "select": "patterns of paths below it: `*` is a part of a name, `**` any folders",
  ]
}

extension StageKind {
  /// Files that belong to a pipeline: scripts, small inputs. A source: every plan examines them again.
  ///
  /// ```yaml
  /// scripts: { uses: files, with: { folder: scripts, select: ["*.awk", "*.py"] } }
  /// ```
  ///
  /// The store keeps a copy, with the modes, so what used them can be executed again after they have changed.
  public static let files: StageKind = {
    var kind = StageKind(
      name: "files", version: 1, summary: "takes files that lie beside the pipeline file",
      outputs: [OutputPort("files", TreeFormat.name)], isSource: true, defaults: canonical(FilesParameters()),
      parameterNames: FilesParameters.names,
      parameterSummaries: FilesParameters.summaries, prepared: PreparedStage(parameters: .null, body: .stage({ _ in })))
    kind.specialize = { entry, _ in try filesKind(of: entry) }
    kind.reinstate = { _, _ in
      throw PipelineError(.notRestorable, "only the pipeline file says where its folder is; run the pipeline")
    }
    return kind
  }()

  private static func filesKind(of entry: PipelineDescription.StageEntry) throws -> StageKind {
    let generic = StageKind.files
    let parameters = try FilesParameters.parsed(from: entry.with, defaults: generic.defaults)
    try StageKind.locatingErrors(in: entry.with) {
      if !parameters.folder.isEmpty, let problem = RelativePath.problem(parameters.folder) {
        throw ParameterError("folder", problem)
      }
      try refuseLinks(
        parameters.folder, below: Checkout.folder(ofFile: entry.nameLocation.file), parameter: "folder")
      if parameters.select.isEmpty { throw ParameterError("select", "no pattern is given") }
    }
    let patterns = parameters.select.map(Glob.init)
    let base = Checkout.folder(ofFile: entry.nameLocation.file)
    let source = SourceFolder(
      root: .folder(parameters.folder.isEmpty ? base : base + "/" + parameters.folder), contents: { _ in [""] },
      selects: { path, _ in patterns.contains { $0.matches(path) } }, isCopied: true)
    return StageKind(
      name: generic.name, version: generic.version, summary: generic.summary, outputs: generic.outputs, isSource: true,
      defaults: generic.defaults,
      prepared: PreparedStage(parameters: StageKind.canonical(parameters), body: .source(source)))
  }
}
