import Crypto
import Foundation
import PipelineModel

/// A private Ed25519 key, in the PEM form (PKCS #8) that OpenSSL reads and writes.
public struct SigningKey: Sendable {
  private let key: Curve25519.Signing.PrivateKey

  /// A new key from the system's random source.
  public init() { key = Curve25519.Signing.PrivateKey() }

  /// - Throws: code `badKey` where the text holds no such key.
  public init(pem text: String) throws {
    let blocks = try PEM.blocks(in: text)
    guard blocks.count == 1, let bytes = blocks[0].content(label: "PRIVATE KEY", prefix: SigningKey.prefix),
      let key = try? Curve25519.Signing.PrivateKey(rawRepresentation: bytes)
    else { throw PipelineError(.badKey, "not an Ed25519 private key in PEM form; 'keygen' makes one") }
    self.key = key
  }

  public var pem: String { PEM.text(label: "PRIVATE KEY", SigningKey.prefix + key.rawRepresentation) }

  public var publicKey: VerificationKey { VerificationKey(bytes: Array(key.publicKey.rawRepresentation)) }

  func signature(of bytes: [UInt8]) throws -> [UInt8] { Array(try key.signature(for: bytes)) }

  /// DER of everything before the 32 bytes: version, algorithm 1.3.101.112, two octet strings.
  private static let prefix: [UInt8] = [
    0x30, 0x2E, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2B, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20,
  ]
}
