import Determinism
import PipelineModel
import Synchronization

/// The live partial state of one key: `step-<n>` files, each with a `step-<n>.json` that describes it.
///
/// A description holds the key, the step, the program, the digest of the description before it, SHA-256 of the state
/// and the digests noted so far, and carries its own digest. A checkpoint of which any of that is not as it must be is
/// not used: damage costs steps, never other bits. The two newest checkpoints are kept, so that a damaged one does not
/// cost the stage.
///
/// Only the holder of the key's lock writes here. Who holds a lease has a folder of its own in it, named by the lease's
/// nonce: of two machines that both take themselves for the holder, neither touches what the other one saves. A new
/// holder takes over the newest sound checkpoint of all, by a second name in its own folder.
package final class CheckpointFolder: CheckpointStorage {
  /// Of the key.
  package let path: String
  /// Where this process saves: `path`, or a folder in it.
  private let home: String
  private let key: Digest
  private let program: Digest
  private let confirm: @Sendable () throws -> Void
  private let warn: @Sendable (String) -> Void
  /// Digest of the description that was saved or used last.
  private let previous = Mutex<Digest?>(nil)

  /// - Parameters:
  ///   - program: of the executable that computes; another one may compute its steps otherwise.
  ///   - nonce: of the lease; nil where there is none.
  ///   - confirm: throws where this process may not save any more.
  package init(
    path: String, key: Digest, program: Digest = ProgramIdentity.digest, nonce: String? = nil,
    confirm: @escaping @Sendable () throws -> Void = {}, warn: @escaping @Sendable (String) -> Void = { _ in }
  ) {
    self.path = path
    home = nonce.map { "\(path)/\($0)" } ?? path
    self.key = key
    self.program = program
    self.confirm = confirm
    self.warn = warn
  }

  /// The description of a checkpoint.
  private struct Description {
    var step: Int
    var total: Int
    var sha256: Digest
    var trace: Trace
    let digest: Digest
  }

  private func file(_ step: Int, in folder: String) -> String { "\(folder)/step-\(step)" }

  package func save(step: Int, of total: Int, trace: Trace, _ write: (String) throws -> Void) throws {
    try confirm()
    try Files.makeFolder(home)
    let temporary = "\(home)/new"
    try Files.remove(temporary)
    try write(temporary)
    let description: CanonicalValue = [
      "key": .string(key.hex), "program": .string(program.hex), "step": .integer(step), "of": .integer(total),
      "sha256": .string(try Files.sha256(temporary).hex), "trace": trace.canonical,
      "previous": previous.withLock { $0 }.map { .string($0.hex) } ?? .null,
    ]
    let file: CanonicalValue = ["checkpoint": description, "sha256": .string(description.digest.hex)]
    try Files.write(file.canonicalBytes, to: temporary + ".json")
    try Files.sync(temporary)
    try Files.sync(temporary + ".json")
    // A large one takes its time.
    try confirm()
    // The description comes last: a checkpoint without one does not exist.
    try Files.rename(temporary, to: self.file(step, in: home))
    try Files.rename(temporary + ".json", to: self.file(step, in: home) + ".json")
    try Files.sync(home)
    previous.withLock { $0 = description.digest }
    // Later ones were passed over when the stage resumed.
    let saved = try steps(in: home)
    for other in saved.filter({ $0 > step }) + saved.filter({ $0 <= step }).dropLast(2) {
      try Files.remove(self.file(other, in: home) + ".json")
      try Files.remove(self.file(other, in: home))
    }
    for folder in try others() where Files.exists("\(folder)/\(CheckpointFolder.endMark)") { try Files.remove(folder) }
  }

  /// Steps with a description, rising.
  private func steps(in folder: String) throws -> [Int] {
    try Files.list(folder).compactMap { name in
      guard name.hasPrefix("step-"), name.hasSuffix(".json"), let step = Int(name.dropFirst(5).dropLast(5)), step >= 0
      else { return nil }
      return step
    }.sorted()
  }

  /// The newest checkpoint that is one of this key and program, whose bytes are those that were written, and whose
  /// content its stage takes for its own.
  package func latest(where accepts: (Checkpoint) -> Bool) throws -> (Checkpoint, Trace)? {
    for (step, folder) in try candidates() {
      do {
        let description = try description(of: step, in: folder)
        if folder != home { try takeOver(step, from: folder) }
        let file = file(step, in: home)
        guard try Files.sha256(file) == description.sha256 else { throw Refusal("its bytes changed") }
        let checkpoint = Checkpoint(step: step, path: file)
        guard accepts(checkpoint) else { throw Refusal("its state is not that of this step") }
        previous.withLock { $0 = description.digest }
        return (checkpoint, description.trace)
      } catch {
        if folder != home { try removeStep(step) }
        let why = (error as? Refusal)?.why ?? "it cannot be read: \(error)"
        warn("the checkpoint \(file(step, in: folder)) is not used: \(why). Resuming from an earlier step")
      }
    }
    return nil
  }

  /// How far the newest checkpoint is, without checking its bytes.
  package func position() -> (step: Int, of: Int)? {
    guard let (step, folder) = (try? candidates())?.first, let description = try? description(of: step, in: folder)
    else { return nil }
    return (step, description.total)
  }

  package func remove() throws { try Files.remove(path) }

  private struct Refusal: Error {
    let why: String
    init(_ why: String) { self.why = why }
  }

  private func description(of step: Int, in folder: String) throws -> Description {
    guard let body = verifiedDescription(step, in: folder), let total = body["of"]?.integerValue,
      let sha256 = body["sha256"]?.stringValue.flatMap(Digest.init(hex:)),
      let trace = body["trace"].flatMap(Trace.init(canonical:))
    else { throw Refusal("its description is damaged") }
    guard body["key"]?.stringValue == key.hex else { throw Refusal("it is one of another stage, seed or input") }
    guard body["program"]?.stringValue == program.hex else { throw Refusal("another build of the program saved it") }
    guard body["step"]?.integerValue == step, step <= total else { throw Refusal("it is one of another step") }
    if let earlier = try steps(in: folder).last(where: { $0 < step }).flatMap({ verifiedDescription($0, in: folder) }),
      let named = body["previous"]?.stringValue, named != earlier.digest.hex
    {
      throw Refusal("it does not follow the one before it")
    }
    return Description(step: step, total: total, sha256: sha256, trace: trace, digest: body.digest)
  }

  /// The description, where its digest is right.
  private func verifiedDescription(_ step: Int, in folder: String) -> CanonicalValue? {
    guard let file = try? CanonicalValue(json: Files.read(file(step, in: folder) + ".json", limit: Record.sizeLimit)),
      let body = file["checkpoint"], file["sha256"]?.stringValue == body.digest.hex
    else { return nil }
    return body
  }
}

extension CheckpointFolder {
  /// In the folder of a holder that has stopped and will not come back.
  private static let endMark = "ended"

  /// Folders of the key in which others save, or saved.
  private func others() throws -> [String] {
    try Files.list(path).filter { !$0.hasPrefix("step-") }.map { "\(path)/\($0)" }
      .filter { try $0 != home && Files.type($0) == .folder }
  }

  /// Steps and their folders, the newest first, and of equal ones this process's own.
  private func candidates() throws -> [(step: Int, folder: String)] {
    let folders = try [home] + (home == path ? [] : [path]) + others()
    return try folders.enumerated().flatMap { i, folder in try steps(in: folder).map { (i, $0, folder) } }
      .sorted { ($1.1, $0.0) < ($0.1, $1.0) }.map { ($0.1, $0.2) }
  }

  /// Gives a checkpoint of somebody else a second name here, so that it stays whatever becomes of the first.
  private func takeOver(_ step: Int, from folder: String) throws {
    try Files.makeFolder(home)
    try removeStep(step)
    for ending in ["", ".json"] {
      let (theirs, mine) = (file(step, in: folder) + ending, file(step, in: home) + ending)
      if (try? Files.linkIfFree(theirs, to: mine)) != true { try Files.copy(theirs, to: mine) }
    }
  }

  private func removeStep(_ step: Int) throws {
    try Files.remove(file(step, in: home) + ".json")
    try Files.remove(file(step, in: home))
  }

  /// Notes that this process stops, and leaves what it saved to the next holder.
  package func leave() {
    if home != path, Files.exists(home) { try? Files.write([], to: "\(home)/\(CheckpointFolder.endMark)") }
  }
}
