import Determinism

/// The live partial state of one key: `step-<n>` files, each with a `step-<n>.json` that vouches for its bytes.
///
/// Only the holder of the key's lock writes here. The two newest checkpoints are kept, so that a damaged one costs
/// steps, not the stage.
struct CheckpointFolder: Sendable {
  let path: String
  let warn: @Sendable (String) -> Void

  init(path: String, warn: @escaping @Sendable (String) -> Void = { _ in }) {
    self.path = path
    self.warn = warn
  }

  private func file(_ step: Int) -> String { "\(path)/step-\(step)" }

  func save(step: Int, of total: Int, trace: Trace, _ write: (String) throws -> Void) throws {
    try Files.makeFolder(path)
    let temporary = "\(path)/new"
    try Files.remove(temporary)
    try write(temporary)
    let digest = try Files.sha256(temporary)
    let voucher: CanonicalValue = [
      "step": .integer(step), "of": .integer(total), "sha256": .string(digest.hex), "trace": trace.canonical,
    ]
    try Files.write(voucher.canonicalBytes, to: temporary + ".json")
    try Files.sync(temporary)
    try Files.sync(temporary + ".json")
    // The voucher comes last: a checkpoint without one does not exist.
    try Files.rename(temporary, to: file(step))
    try Files.rename(temporary + ".json", to: file(step) + ".json")
    try Files.sync(path)
    for old in try steps().dropLast(2) {
      try Files.remove(file(old) + ".json")
      try Files.remove(file(old))
    }
  }

  /// Steps with a voucher, rising.
  private func steps() throws -> [Int] {
    try Files.list(path).compactMap { name in
      guard name.hasPrefix("step-"), name.hasSuffix(".json") else { return nil }
      return Int(name.dropFirst(5).dropLast(5))
    }.sorted()
  }

  /// The newest checkpoint whose bytes are those that were written, and whose content its stage takes for its own.
  func latest(where accepts: (Checkpoint) -> Bool = { _ in true }) throws -> (Checkpoint, Trace)? {
    for step in try steps().reversed() {
      if let voucher = try? CanonicalValue(json: Files.read(file(step) + ".json")),
        let trace = voucher["trace"].flatMap(Trace.init(canonical:)),
        let digest = voucher["sha256"]?.stringValue.flatMap(Digest.init(hex:)),
        let found = try? Files.sha256(file(step)), found == digest,
        accepts(Checkpoint(step: step, path: file(step)))
      {
        return (Checkpoint(step: step, path: file(step)), trace)
      }
      warn("checkpoint \(file(step)) is damaged; using an earlier one")
    }
    return nil
  }

  /// How far the newest checkpoint is, without checking its bytes.
  func position() -> (step: Int, of: Int)? {
    guard let step = (try? steps())?.last, let voucher = try? CanonicalValue(json: Files.read(file(step) + ".json")),
      let total = voucher["of"]?.integerValue
    else { return nil }
    return (step, total)
  }

  func remove() throws { try Files.remove(path) }
}
