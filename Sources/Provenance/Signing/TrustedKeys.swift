import PipelineModel

/// Trusted public keys, each with the name of its owner.
public struct TrustedKeys: Sendable {
  /// By the id of the key.
  let names: [String: String]
  let keys: [String: VerificationKey]

  /// Reads PEM blocks, each after a line with the owner's name. A key without a name goes by its id.
  /// - Throws: code `badKey` where there is none, or one is no Ed25519 key.
  public init(pem text: String) throws {
    var names = [String: String]()
    var keys = [String: VerificationKey]()
    for block in try PEM.blocks(in: text) {
      guard let bytes = block.content(label: "PUBLIC KEY", prefix: VerificationKey.prefix), bytes.count == 32 else {
        throw PipelineError(.badKey, "'\(block.label)' of '\(block.title)' is no Ed25519 public key")
      }
      let key = VerificationKey(bytes: bytes)
      keys[key.id] = key
      names[key.id] = block.title.isEmpty ? String(key.id.prefix(12)) : block.title
    }
    guard !keys.isEmpty else { throw PipelineError(.badKey, "no public keys; 'keygen' makes a pair") }
    self.names = names
    self.keys = keys
  }
}
