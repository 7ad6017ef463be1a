import ArgumentParser
import Determinism
import Foundation
import Pipelines
import TensorFiles

struct DigestCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "digest", abstract: "Print the digest of a file's content, as the store would name it.",
    discussion: """
      The digest is of tensors, names and attributes (or of a JSON value), not of bytes: compression and layout do not
      matter. HDF5 is read in a process with limits, since the library crashes on some malformed files.

      EXAMPLES:
        autopanoptic digest weights.h5
        autopanoptic digest leaderboard.json
      """)

  @Argument(help: "An HDF5 or JSON file.")
  var file: String

  func run() throws {
    if file.hasSuffix(".json") {
      Output.line(try JSONFormat().digest(ofFileAt: file).hex)
      return
    }
    guard let executable = Bundle.main.executablePath else { throw ValidationError("cannot find this executable") }
    Output.line(try ForeignFile.digest(of: file, executable: executable).hex)
  }
}
