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
/// Only the holder of the key's lock writes here.
package final class CheckpointFolder: CheckpointStorage {
  package let path: String
  private let key: Digest
  private let program: Digest
  private let warn: @Sendable (String) -> Void
  /// Digest of the description that was saved or used last.
  private let previous = Mutex<Digest?>(nil)

  /// - Parameter program: of the executable that computes; another one may compute its steps otherwise.
  package init(
    path: String, key: Digest, program: Digest = ProgramIdentity.digest,
    warn: @escaping @Sendable (String) -> Void = { _ in }
  ) {
    self.path = path
    self.key = key
    self.program = program
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

  private func file(_ step: Int) -> String { "\(path)/step-\(step)" }

  package func save(step: Int, of total: Int, trace: Trace, _ write: (String) throws -> Void) throws {
    try Files.makeFolder(path)
    let temporary = "\(path)/new"
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
    // The description comes last: a checkpoint without one does not exist.
    try Files.rename(temporary, to: self.file(step))
    try Files.rename(temporary + ".json", to: self.file(step) + ".json")
    try Files.sync(path)
    previous.withLock { $0 = description.digest }
    // Later ones were passed over when the stage resumed.
    let saved = try steps()
    for other in saved.filter({ $0 > step }) + saved.filter({ $0 <= step }).dropLast(2) {
      try Files.remove(self.file(other) + ".json")
      try Files.remove(self.file(other))
    }
  }

  /// Steps with a description, rising.
  private func steps() throws -> [Int] {
    try Files.list(path).compactMap { name in
      guard name.hasPrefix("step-"), name.hasSuffix(".json"), let step = Int(name.dropFirst(5).dropLast(5)), step >= 0
      else { return nil }
      return step
    }.sorted()
  }

  /// The newest checkpoint that is one of this key and program, whose bytes are those that were written, and whose
  /// content its stage takes for its own.
  package func latest(where accepts: (Checkpoint) -> Bool) throws -> (Checkpoint, Trace)? {
    for step in try steps().reversed() {
      do {
        let description = try description(of: step)
        guard try Files.sha256(file(step)) == description.sha256 else { throw Refusal("its bytes changed") }
        let checkpoint = Checkpoint(step: step, path: file(step))
        guard accepts(checkpoint) else { throw Refusal("its state is not that of this step") }
        previous.withLock { $0 = description.digest }
        return (checkpoint, description.trace)
      } catch {
        let why = (error as? Refusal)?.why ?? "it cannot be read: \(error)"
        warn("the checkpoint \(file(step)) is not used: \(why). Resuming from an earlier step")
      }
    }
    return nil
  }

  /// How far the newest checkpoint is, without checking its bytes.
  package func position() -> (step: Int, of: Int)? {
    guard let step = (try? steps())?.last, let description = try? description(of: step) else { return nil }
    return (step, description.total)
  }

  package func remove() throws { try Files.remove(path) }

  private struct Refusal: Error {
    let why: String
    init(_ why: String) { self.why = why }
  }

  private func description(of step: Int) throws -> Description {
    guard let body = verifiedDescription(step), let total = body["of"]?.integerValue,
      let sha256 = body["sha256"]?.stringValue.flatMap(Digest.init(hex:)),
      let trace = body["trace"].flatMap(Trace.init(canonical:))
    else { throw Refusal("its description is damaged") }
    guard body["key"]?.stringValue == key.hex else { throw Refusal("it is one of another stage, seed or input") }
    guard body["program"]?.stringValue == program.hex else { throw Refusal("another build of the program saved it") }
    guard body["step"]?.integerValue == step, step <= total else { throw Refusal("it is one of another step") }
    if let earlier = try steps().last(where: { $0 < step }).flatMap(verifiedDescription),
      let named = body["previous"]?.stringValue, named != earlier.digest.hex
    {
      throw Refusal("it does not follow the one before it")
    }
    return Description(step: step, total: total, sha256: sha256, trace: trace, digest: body.digest)
  }

  /// The description, where its digest is right.
  private func verifiedDescription(_ step: Int) -> CanonicalValue? {
    guard let file = try? CanonicalValue(json: Files.read(file(step) + ".json", limit: Record.sizeLimit)),
      let body = file["checkpoint"], file["sha256"]?.stringValue == body.digest.hex
    else { return nil }
    return body
  }
}
