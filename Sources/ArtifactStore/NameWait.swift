import Determinism
import Foundation
import Glibc
import PipelineModel

/// Waiting for files that another machine has made for sure.
///
/// A machine that looked for a name too early remembers for up to a minute that it was missing, and a list of the folder
/// shows the name at once, although opening it fails still.
package enum NameWait {
  /// Seconds to wait: longer than any usual cache of names.
  package static let limit = 90.0

  /// Returns when all names are there.
  /// - Parameter keepGoing: asked now and then; false ends it with `StageInterrupted`.
  /// - Throws: code `io` naming the first that did not come.
  package static func wait(
    for paths: some Sequence<String>, seconds: Double, while keepGoing: () -> Bool = { true }
  ) throws {
    let end = LeaseTable.uptime + seconds
    for path in paths {
      var pause = 0.02
      while access(path, F_OK) != 0 {
        let code = errno
        guard code == ENOENT || code == ESTALE, LeaseTable.uptime < end else { throw Files.failure("find", path, code) }
        if !keepGoing() { throw StageInterrupted() }
        // Some clients learn of new names from lists.
        _ = try? Files.list(Checkout.folder(ofFile: path))
        Thread.sleep(forTimeInterval: pause)
        pause = min(1, pause * 2)
      }
    }
  }

  /// Repeats what fails because a file was replaced on its server while it was open.
  package static func patiently<T>(seconds: Double, _ body: () throws -> T) throws -> T {
    let end = LeaseTable.uptime + seconds
    while true {
      do {
        return try body()
      } catch let error as PipelineError where error.code == .staleFile && LeaseTable.uptime < end {
        Thread.sleep(forTimeInterval: 0.5)
      }
    }
  }
}

extension Store {
  /// Seconds that reads of what must be there wait for it.
  private var patience: Double { isWorker ? NameWait.limit : 0 }

  /// In a worker, returns when an object is seen here that somebody has stored for sure.
  package func waitUntilSeen(_ artifact: Artifact, while keepGoing: () -> Bool = { true }) throws {
    guard isWorker else { return }
    try NameWait.wait(for: files(of: artifact), seconds: patience, while: keepGoing)
  }

  private func files(of artifact: Artifact) -> [String] {
    let path = objectPath(artifact)
    let isTree = artifact.kind == TreeFormat.name && !artifact.isExternal
    return [path, path + ".sha256"] + (isTree ? [path + "/" + TreeFormat.manifestName] : [])
  }

  /// Reads a file that another machine wrote before it said so.
  /// - Parameter path: relative to the store.
  package func readAwaited(_ path: String, limit: Int = Files.readLimit) throws -> [UInt8] {
    let path = "\(self.path)/\(path)"
    try NameWait.wait(for: [path], seconds: NameWait.limit)
    return try NameWait.patiently(seconds: NameWait.limit) { try Files.read(path, limit: limit) }
  }

  /// The outputs of an execution that another machine says is done. The index hears of it.
  /// - Parameter keepGoing: asked now and then; false ends the waiting with `StageInterrupted`.
  /// - Throws: where neither record nor objects are seen here within a minute and a half.
  package func announcedOutputs(of key: Digest, while keepGoing: () -> Bool = { true }) throws -> [String: Artifact] {
    try NameWait.wait(for: [recordPath(key)], seconds: NameWait.limit, while: keepGoing)
    let record = try NameWait.patiently(seconds: NameWait.limit) { try self.record(key) }
    if index.entry(key) == nil { try index.add([indexEntry(of: record)]) }
    let outputs = record.outputs.values.sorted()
    try NameWait.wait(for: outputs.flatMap(files), seconds: NameWait.limit, while: keepGoing)
    listedRecords.add("\(key.hex).json")
    return record.outputs
  }
}
