import Determinism
import Foundation

/// A signed statement in a DSSE envelope (Dead Simple Signing Envelope 1.0), as in-toto tools read it.
struct Envelope: Sendable {
  static let payloadType = "application/vnd.in-toto+json"

  struct Signature: Sendable {
    var keyID: String
    var bytes: [UInt8]
  }

  var payload: [UInt8]
  var signatures: [Signature]

  init(signing payload: [UInt8], with key: SigningKey) throws {
    self.payload = payload
    signatures = [
      Signature(keyID: key.publicKey.id, bytes: try key.signature(of: Envelope.preauthentication(of: payload)))
    ]
  }

  /// What is signed: type and payload with their lengths, so that neither can be taken for the other.
  static func preauthentication(of payload: [UInt8]) -> [UInt8] {
    Array("DSSEv1 \(payloadType.utf8.count) \(payloadType) \(payload.count) ".utf8) + payload
  }

  func isValid(_ signature: Signature, by key: VerificationKey) -> Bool {
    key.isValid(signature.bytes, of: Envelope.preauthentication(of: payload))
  }

  var canonical: CanonicalValue {
    [
      "payloadType": .string(Envelope.payloadType), "payload": .string(Data(payload).base64EncodedString()),
      "signatures": .array(
        signatures.map { ["keyid": .string($0.keyID), "sig": .string(Data($0.bytes).base64EncodedString())] }),
    ]
  }

  /// Nil where the value is no such envelope.
  init?(canonical value: CanonicalValue) {
    func bytes(_ value: CanonicalValue?) -> [UInt8]? {
      value?.stringValue.flatMap { Data(base64Encoded: $0) }.map(Array.init)
    }
    guard value["payloadType"]?.stringValue == Envelope.payloadType, let payload = bytes(value["payload"]),
      let signatures = value["signatures"]?.arrayValue
    else { return nil }
    self.payload = payload
    self.signatures = []
    for signature in signatures {
      guard let id = signature["keyid"]?.stringValue, let content = bytes(signature["sig"]) else { return nil }
      self.signatures.append(Signature(keyID: id, bytes: content))
    }
  }
}
