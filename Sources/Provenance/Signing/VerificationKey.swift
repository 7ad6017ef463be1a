import Crypto
import Determinism

/// A public Ed25519 key, in the PEM form (SubjectPublicKeyInfo) that OpenSSL reads and writes.
public struct VerificationKey: Hashable, Sendable {
  /// 32 bytes.
  let bytes: [UInt8]

  /// SHA-256 of the key's DER form: its name in envelopes.
  public var id: String { Digest(of: VerificationKey.prefix + bytes).hex }

  public var pem: String { PEM.text(label: "PUBLIC KEY", VerificationKey.prefix + bytes) }

  func isValid(_ signature: [UInt8], of message: [UInt8]) -> Bool {
    guard let key = try? Curve25519.Signing.PublicKey(rawRepresentation: bytes) else { return false }
    return key.isValidSignature(signature, for: message)
  }

  /// DER of everything before the 32 bytes.
  static let prefix: [UInt8] = [0x30, 0x2A, 0x30, 0x05, 0x06, 0x03, 0x2B, 0x65, 0x70, 0x03, 0x21, 0x00]
}
