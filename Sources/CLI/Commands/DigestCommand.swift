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

  @Argument(help: "An HDF5 or JSON file.", completion: .file(extensions: ["h5", "json"]))
  var file: String

  @Option(help: "Processor time that reading HDF5 may take, in seconds.")
  var seconds: UInt64 = 600

  @Option(help: "Memory that reading HDF5 may take, in MiB. (default: what a sound file of its size can need)")
  var memory: UInt64?

  func validate() throws {
    if !(1...1_000_000).contains(seconds) { throw ValidationError("--seconds \(seconds): expected 1 to 1000000") }
    if let memory, !(256...1 << 30).contains(memory) {
      throw ValidationError("--memory \(memory): expected 256 to \(1 << 30)")
    }
  }

  func run() throws {
    switch FileIO.kind(file) {
    case .file: break
    case .folder: throw TensorFileError(.unreadable, at: file, "this is a folder")
    case .other: throw TensorFileError(.unreadable, at: file, "this is a pipe or a device, not a file")
    case nil: throw TensorFileError(.unreadable, at: file, "no such file")
    }
    if file.utf8.suffix(5).elementsEqual(".json".utf8) {
      Output.line(try JSONFormat().digest(ofFileAt: file).hex)
      return
    }
    guard let executable = Bundle.main.executablePath else { throw ValidationError("cannot find this executable") }
    let limits = ForeignFile.Limits(memory: memory.map { $0 << 20 }, seconds: seconds)
    Output.line(try ForeignFile.digest(of: file, executable: executable, limits: limits).hex)
  }
}
