import Determinism
import PipelineModel

/// Which file beside the pipeline file a `file` stage takes.
struct FileParameters: StageParameters {
  /// Relative to the folder of the pipeline file.
  var path = ""

  static let summaries = ["path": "relative to the folder of the pipeline file"]
}

extension StageKind {
  /// One file that belongs to a pipeline. `needs: { script: file:train.py }` makes such a source by itself.
  ///
  /// The store keeps a copy of its bytes, without its mode: whoever wants to start it as a program takes its folder.
  public static let file: StageKind = {
    var kind = StageKind(
      name: "file", version: 1, summary: "takes one file that lies beside the pipeline file",
      outputs: [OutputPort("file", FileFormat.name)], isSource: true, defaults: canonical(FileParameters()),
      parameterNames: FileParameters.names,
      parameterSummaries: FileParameters.summaries, prepared: PreparedStage(parameters: .null, body: .stage({ _ in })))
    kind.specialize = { entry, _ in try fileKind(of: entry) }
    kind.reinstate = { _, _ in
      throw PipelineError(.notRestorable, "only the pipeline file says where its folder is; run the pipeline")
    }
    return kind
  }()

  private static func fileKind(of entry: PipelineDescription.StageEntry) throws -> StageKind {
    let generic = StageKind.file
    let parameters = try FileParameters.parsed(from: entry.with, defaults: generic.defaults)
    let base = Checkout.folder(ofFile: entry.nameLocation.file)
    try StageKind.locatingErrors(in: entry.with) {
      if let problem = RelativePath.problem(parameters.path) { throw ParameterError("path", problem) }
      try refuseLinks(parameters.path, below: base, parameter: "path")
    }
    let source = SourceFolder(
      root: .folder(base), contents: { _ in [parameters.path] }, selects: { _, _ in true }, isCopied: true)
    return StageKind(
      name: generic.name, version: generic.version, summary: generic.summary, outputs: generic.outputs, isSource: true,
      defaults: generic.defaults,
      prepared: PreparedStage(parameters: StageKind.canonical(parameters), body: .source(source)))
  }

  /// A checkout from somebody else must not have files taken from elsewhere.
  static func refuseLinks(_ path: String, below base: String, parameter: String) throws {
    var place = base
    for part in path.splitBytes(at: UInt8(ascii: "/")) where !part.isEmpty {
      place += "/\(part)"
      if Files.isLink(place) {
        throw ParameterError(parameter, "\(place) is a link; links are not followed, copy what it leads to")
      }
    }
  }
}
