import ArgumentParser
import Determinism
import Foundation
import Pipelines

struct Init: ParsableCommand {
  enum Template: String, CaseIterable, ExpressibleByArgument {
    case python, panoptic
  }

  static let configuration = CommandConfiguration(
    abstract: "Write a pipeline that runs at once, with comments, to start from.",
    discussion: """
      The template 'python' has three stages whose programs need nothing but Python 3; in a folder with .venv, uv.lock or
      requirements.txt, the pipeline takes its programs from there. 'panoptic' searches for an architecture on data that
      it draws itself. Nothing is ever overwritten: where one of the files is there already, none is written.

      EXAMPLES:
        autopanoptic init
        autopanoptic init --template panoptic search
      """)

  @Argument(help: "The folder; it is made where it is not there (default: this folder).", completion: .directory)
  var folder = "."

  @Option(help: "python or panoptic.")
  var template = Template.python

  func run() throws {
    let place = URL(fileURLWithPath: folder).standardizedFileURL.path
    let found = Set([".venv", "uv.lock", "requirements.txt"].filter { FileIO.kind("\(place)/\($0)") != nil })
    let name = Init.name(of: place)
    let files =
      template == .python ? PythonTemplate.files(name: name, found: found) : PanopticTemplate.files(name: name)
    for (path, _) in files where try FileManager.default.isThere("\(place)/\(path)") {
      throw PipelineError(
        .badReference,
        "\(folder)/\(path) is there already; nothing was written. Name another folder: autopanoptic init FOLDER")
    }
    for (path, text) in files {
      let file = "\(place)/\(path)"
      try FileIO.makeFolder(file.folderPath)
      try Data(text.utf8).write(to: URL(fileURLWithPath: file), options: .withoutOverwriting)
    }
    let prefix = folder == "." ? "" : folder + "/"
    for (path, _) in files { Output.line("wrote \(prefix)\(path)") }
    Output.line("next: \(folder == "." ? "" : "cd \(folder.quotedForShell) && ")autopanoptic run pipeline.yaml")
  }

  /// The folder's name, as far as it can be the name of a pipeline.
  private static func name(of folder: String) -> String {
    let name = String(
      folder.lastPathComponent.filter { $0.isASCII && ($0.isLetter || $0.isNumber || "-_".contains($0)) })
    return name.first?.isLetter == true ? String(name.prefix(64)) : "example"
  }
}

extension FileManager {
  /// Whether anything is at a path, a broken link included.
  fileprivate func isThere(_ path: String) throws -> Bool {
    var status = stat()
    if lstat(path, &status) == 0 { return true }
    if errno == ENOENT || errno == ENOTDIR { return false }
    throw PipelineError(.io, "\(path): \(String(cString: strerror(errno)))")
  }
}
