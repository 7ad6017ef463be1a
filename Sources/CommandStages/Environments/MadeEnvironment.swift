import Determinism
import Foundation
import Glibc
import PipelineModel

/// An environment that a program makes in the store from a lock file: `environments/KIND-<digest of what it is made
/// from>`. Only commands that execute stages make one.
struct MadeEnvironment {
  let kind: String
  /// For messages.
  let name: String
  /// What it is made from.
  let source: Digest
  let host: StageHost

  private var base: String { "\(host.store)/\(EnvironmentStore.folder)/\(kind)-\(source.short)" }
  var folder: String { base }
  /// Its presence says that the folder is complete.
  private var mark: String { base + ".complete" }

  /// The folder; made first where it is not there, or is not what was made.
  /// - Parameters:
  ///   - isSealed: whether nothing in it may have changed: its files are in no key.
  ///   - make: fills the folder, which isn't there yet or is empty.
  func made(isSealed: Bool = false, _ make: (_ folder: String) throws -> Void) throws -> String {
    if try isMade(isSealed) { return folder }
    guard host.policy != nil, !host.isObserved else {
      throw PipelineError(
        .missingTool, "the environment '\(name)' has not been made from its lock file yet; 'autopanoptic run' makes it")
    }
    try Files.makeFolder("\(host.store)/\(EnvironmentStore.folder)")
    let lock = try Descriptor.open(base + ".lock", O_RDWR | O_CREAT | O_NOFOLLOW, "lock")
    guard FileIO.retrying({ flock(lock.number, LOCK_EX) }) == 0 else { throw Files.failure("lock", base + ".lock") }
    return try withExtendedLifetime(lock) {
      if try isMade(isSealed) { return folder }
      // What somebody left who was killed.
      try removeTree(folder)
      try? Files.remove(mark)
      try make(folder)
      let seal = isSealed ? try FolderSnapshot(of: folder).fingerprint.hex : ""
      try Files.write(Array(seal.utf8), to: mark)
      return folder
    }
  }

  private func isMade(_ isSealed: Bool) throws -> Bool {
    guard Files.exists(mark), try Files.type(folder) == .folder else { return false }
    if !isSealed { return true }
    // Inodes and times are those of this machine, so a folder that somebody brought along is made again.
    return try Files.read(mark, limit: 1 << 10).elementsEqual(FolderSnapshot(of: folder).fingerprint.hex.utf8)
  }

  /// Runs a program of the user with the user's variables.
  /// - Throws: code `missingTool` with the end of what it printed.
  func run(_ words: [String], variables: [String: String], in folder: String) throws {
    let finder = ToolFinder(searchPath: host.searchPath ?? ToolFinder.standardPath)
    guard let program = finder.find(words[0]) else {
      throw PipelineError(
        .missingTool,
        "environment '\(name)' is made by '\(words[0])', which is not in \(finder.searchPath): install it, or make the "
          + "environment yourself and name its folder")
    }
    var environment = ProcessInfo.processInfo.environment
    for name in ["VIRTUAL_ENV", "PYTHONPATH", "PYTHONHOME", "CONDA_PREFIX"] { environment[name] = nil }
    environment.merge(variables) { _, new in new }
    let process = ChildProcess(executable: program, arguments: words, environment: environment, folder: folder)
    let (ending, text) = try process.capture(bytes: 1 << 24, limit: 3600, interruption: Interruption())
    guard ending == .exited(0) else {
      let lines = TextLines.split(text).suffix(8).map { "    " + Printable.line(String(decoding: $0, as: UTF8.self)) }
      throw PipelineError(
        .missingTool,
        "environment '\(name)': '\(words.joined(separator: " "))' \(ending):\n" + lines.joined(separator: "\n"))
    }
  }
}
