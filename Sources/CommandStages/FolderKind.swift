import Determinism
import PipelineModel

/// Which data a `folder` stage refers to.
struct FolderParameters: StageParameters {
  /// Relative to the folder of the pipeline file, or absolute.
  var path: String?
  /// Instead: the variable that names the folder, so that it may lie elsewhere on another machine.
  var variable: String?
  /// Patterns of paths below it.
  var select = ["**"]

  static let summaries = [
    "path": "the folder, relative to that of the pipeline file, or absolute",
    "variable": "instead: the variable that names the folder, from the environment or `--set DATA=/path`",
    "select": "patterns of paths below it: `*` is a part of a name, `**` any folders",
  ]
}

extension StageKind {
  /// A folder of data on the user's disk. Its files are hashed, never copied: the store keeps their list, and a program
  /// sees the folder itself, read-only. A source: every plan looks at it again, `audit` reads its files again.
  ///
  /// ```yaml
  /// raw: { uses: folder, with: { path: data/raw } }
  /// images: { uses: folder, with: { variable: IMAGES, select: ["*.png"] } }
  /// ```
  public static let folder: StageKind = {
    var kind = StageKind(
      name: "folder", version: 1, summary: "refers to a folder of data, which is hashed and not copied",
      outputs: [OutputPort("files", TreeFormat.name)], isSource: true, defaults: canonical(FolderParameters()),
      parameterNames: FolderParameters.names,
      parameterSummaries: FolderParameters.summaries, prepared: PreparedStage(parameters: .null, body: .stage({ _ in }))
    )
    kind.specialize = { entry, _ in
      let parameters = try FolderParameters.parsed(from: entry.with, defaults: StageKind.folder.defaults)
      return try StageKind.locatingErrors(in: entry.with) {
        try folderKind(parameters, below: Checkout.folder(ofFile: entry.nameLocation.file))
      }
    }
    // The files are compared with the digest of the tree, so another folder can't be mistaken for this one.
    kind.reinstate = { value, _ in
      var kind = try folderKind(try value.decoded(as: FolderParameters.self), below: Files.absolute("."))
      let prepared = try kind.prepare(LocatedValue(.null, at: SourceLocation(file: "")))
      kind.restore = { _ in prepared }
      return kind
    }
    return kind
  }()

  private static func folderKind(_ parameters: FolderParameters, below base: String) throws -> StageKind {
    let generic = StageKind.folder
    let root: SourceFolder.Root
    switch (parameters.path, parameters.variable) {
    case (let path?, nil):
      guard !path.isEmpty, !path.utf8.contains(0) else { throw ParameterError("path", "expected the path of a folder") }
      let folder = path.utf8.first == UInt8(ascii: "/") ? path : Files.absolute(base + "/" + path)
      if let why = PrivatePlaces.refusal(folder, checkout: [Checkout.root(above: base)]) {
        throw ParameterError("path", "\(why), or name the folder by a variable: { variable: DATA }")
      }
      root = .folder(folder)
    case (nil, let name?):
      guard isVariable(name) else {
        throw ParameterError("variable", "'\(name.clipped(to: 60))': expected a name such as DATA, without '$'")
      }
      guard !isOfSystem(name) else {
        throw ParameterError("variable", "'\(name)' has a meaning of its own; expected a name such as DATA")
      }
      root = .variable(name)
    case (nil, nil): throw ParameterError("path", "expected 'path: data', or 'variable: DATA'")
    case (.some, .some): throw ParameterError("variable", "expected either 'path' or 'variable'")
    }
    if parameters.select.isEmpty { throw ParameterError("select", "no pattern is given") }
    let patterns = parameters.select.map(Glob.init)
    let source = SourceFolder(
      root: root, contents: { _ in [""] }, selects: { path, _ in patterns.contains { $0.matches(path) } })
    return StageKind(
      name: generic.name, version: generic.version, summary: generic.summary, outputs: generic.outputs, isSource: true,
      defaults: generic.defaults,
      prepared: PreparedStage(parameters: StageKind.canonical(parameters), body: .source(source)))
  }

  /// Variables that are set without anybody having this pipeline in mind.
  private static func isOfSystem(_ name: String) -> Bool {
    ["HOME", "PWD", "OLDPWD", "TMPDIR", "TMP", "TEMP", "PATH", "VIRTUAL_ENV"].contains(name)
      || ["XDG_", "SSH_", "GNUPG", "CONDA_", "PYENV_"].contains { name.hasPrefix($0) }
  }

  private static func isVariable(_ name: String) -> Bool {
    func isLetter(_ byte: UInt8) -> Bool { (0x61...0x7A).contains(byte | 0x20) || byte == UInt8(ascii: "_") }
    return name.utf8.first.map(isLetter) == true
      && name.utf8.allSatisfy { isLetter($0) || (0x30...0x39).contains($0) } && name.utf8.count <= 100
  }
}
