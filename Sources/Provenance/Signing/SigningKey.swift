import Crypto
import Determinism
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

/// A public Ed25519 key, in the PEM form (SubjectPublicKeyInfo) that OpenSSL reads and writes.
public struct VerificationKey: Hashable, Sendable {
  /// 32 bytes.
  let bytes: [UInt8]

  /// SHA-256 of the key's DER form: what envelopes call it by.
  public var id: String { Digest(of: VerificationKey.prefix + bytes).hex }

  public var pem: String { PEM.text(label: "PUBLIC KEY", VerificationKey.prefix + bytes) }

  func isValid(_ signature: [UInt8], of message: [UInt8]) -> Bool {
    guard let key = try? Curve25519.Signing.PublicKey(rawRepresentation: bytes) else { return false }
    return key.isValidSignature(signature, for: message)
  }

  fileprivate static let prefix: [UInt8] = [0x30, 0x2A, 0x30, 0x05, 0x06, 0x03, 0x2B, 0x65, 0x70, 0x03, 0x21, 0x00]
}

/// The public keys that somebody trusts, each with the name of its owner.
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

/// Blocks of base64 between lines, each with a line of text before it.
enum PEM {
  struct Block {
    var title: String
    var label: String
    var bytes: [UInt8]

    /// What follows the prefix; nil where the block is something else.
    func content(label: String, prefix: [UInt8]) -> [UInt8]? {
      guard self.label == label, bytes.starts(with: prefix) else { return nil }
      return Array(bytes.dropFirst(prefix.count))
    }
  }

  static func text(label: String, _ bytes: [UInt8]) -> String {
    "-----BEGIN \(label)-----\n\(Data(bytes).base64EncodedString())\n-----END \(label)-----\n"
  }

  static func blocks(in text: String) throws -> [Block] {
    var blocks = [Block]()
    var title = ""
    var open: (label: String, base64: String)?
    for line in TextLines.split(text).map({ $0.trimmingCharacters(in: .whitespaces) }) {
      if line.hasPrefix("-----BEGIN "), line.hasSuffix("-----"), open == nil {
        open = (String(line.dropFirst(11).dropLast(5)), "")
      } else if let block = open, line == "-----END \(block.label)-----" {
        guard let data = Data(base64Encoded: block.base64) else {
          throw PipelineError(.badKey, "the block '\(block.label)' of '\(title)' is not base64")
        }
        blocks.append(Block(title: title, label: block.label, bytes: Array(data)))
        (open, title) = (nil, "")
      } else if open != nil {
        open!.base64 += line
      } else if !line.isEmpty {
        title = line
      }
    }
    guard open == nil else { throw PipelineError(.badKey, "the last block has no end") }
    return blocks
  }
}
