import ArtifactStore
import Determinism
import PipelineModel

/// Signs records and reads their signatures.
public struct Signer {
  let store: Store

  public init(store: Store) { self.store = store }

  /// The provenance of a record: its envelope where somebody signed it, else the bare statement.
  /// - Parameter signed: whether envelopes are wanted at all.
  public func provenance(of key: Digest, signed: Bool = true) throws -> CanonicalValue {
    if signed, let envelope = try store.envelopes(of: key).first { return envelope.canonical }
    return try statement(of: key).canonical
  }

  /// The statement alone.
  func statement(of key: Digest) throws -> Statement {
    let (record, digest) = try store.recordWithDigest(key)
    var checksums = [String: Digest]()
    for (name, artifact) in record.outputs where store.hasObject(artifact) {
      checksums[name] = try store.checksum(of: artifact)
    }
    return Statement(of: record, recordDigest: digest, checksums: checksums)
  }

  /// Signs a record whose artifacts are sound; a signature by the same key is replaced.
  public func sign(_ key: Digest, with signingKey: SigningKey) throws {
    let guarded = try StoreLock.shared(store)
    defer {
      store.endScratch()
      withExtendedLifetime(guarded) {}
    }
    for artifact in try store.record(key).outputs.values.sorted() { try store.verify(artifact) }
    let envelope = try Envelope(signing: statement(of: key).canonical.canonicalBytes, with: signingKey)
    try store.publish(envelope, for: key, by: signingKey.publicKey.id)
  }
}

extension Store {
  func signatureFolder(_ key: Digest) -> String { "\(path)/signatures/\(key.hex)" }

  /// Larger files are not signatures.
  static let mostSignatureBytes = 16 << 20

  /// All readable envelopes of a record, in the order of the ids of their keys.
  func envelopes(of key: Digest) throws -> [Envelope] {
    let folder = signatureFolder(key)
    return try Files.list(folder).compactMap { name in
      guard name.hasSuffix(".json"), try Files.status("\(folder)/\(name)").size <= Store.mostSignatureBytes else {
        return nil
      }
      return (try? CanonicalValue(json: Files.read("\(folder)/\(name)"))).flatMap(Envelope.init(canonical:))
    }
  }

  func publish(_ envelope: Envelope, for key: Digest, by id: String) throws {
    precondition(Digest(hex: id) != nil, "the id of a key is a digest, not \(id)")
    let scratch = try makeScratch()
    defer { try? Files.remove(scratch) }
    try Files.makeFolder(signatureFolder(key))
    try Files.write(envelope.canonical.canonicalBytes + [0x0A], to: scratch + "/envelope")
    try Files.sync(scratch + "/envelope")
    try Files.rename(scratch + "/envelope", to: "\(signatureFolder(key))/\(id).json")
    try Files.sync(signatureFolder(key))
  }

  /// A record with SHA-256 of its content.
  func recordWithDigest(_ key: Digest) throws -> (Record, Digest) {
    let bytes = try Files.read(recordPath(key))
    let record = try record(key)
    guard let text = (try? CanonicalValue(json: bytes))?["sha256"]?.stringValue, let digest = Digest(hex: text) else {
      throw PipelineError(.damaged, "\(recordPath(key)): not a record")
    }
    return (record, digest)
  }
}
