import ArtifactStore
import Determinism
import PipelineModel

extension AuditReport {
  /// Whether a trusted key has signed the record of an artifact.
  public struct Signed: Sendable {
    /// The stage or instance that made it, and its output there.
    public let stage: String
    public let output: String
    public let artifact: Artifact
    /// Names of the owners of the keys, sorted; none where nobody does.
    public let by: [String]

    var canonical: CanonicalValue {
      [
        "stage": .string(stage), "output": .string(output), "kind": .string(artifact.kind),
        "digest": .string(artifact.digest.hex), "by": .array(by.map { .string($0) }),
      ]
    }
  }
}

extension Auditor {
  /// Who signed what the records say. A signature that is wrong, and an artifact without one, are findings.
  func checkSignatures(_ records: [Record], _ trusted: TrustedKeys, _ ledger: inout Ledger) {
    for record in records {
      let signers = signers(of: record, trusted, &ledger)
      for (output, artifact) in record.outputs.sorted(by: { $0.key < $1.key }) {
        ledger.signed.append(
          AuditReport.Signed(stage: record.stage, output: output, artifact: artifact, by: signers))
        if signers.isEmpty {
          note(
            .unsigned, store.recordPath(record.key),
            "output '\(output)' of stage '\(record.stage)' (\(artifact.digest.short)) is not signed by a trusted key",
            &ledger)
        }
      }
    }
  }

  private func signers(of record: Record, _ trusted: TrustedKeys, _ ledger: inout Ledger) -> [String] {
    var signers = Set<String>()
    do {
      let (_, digest) = try store.recordWithDigest(record.key)
      for envelope in try store.envelopes(of: record.key) {
        for signature in envelope.signatures {
          guard let key = trusted.keys[signature.keyID], let owner = trusted.names[signature.keyID] else { continue }
          func object(_ why: String) {
            note(
              .mismatching, "\(store.path)/signatures/\(record.key.hex)/\(signature.keyID).json",
              "the signature of '\(record.stage)' by \(owner): \(why)", &ledger)
          }
          if !envelope.isValid(signature, by: key) {
            object("it is not valid")
          } else if let objection = Statement.objection(envelope.payload, to: record, recordDigest: digest) {
            object(objection)
          } else {
            signers.insert(owner)
          }
        }
      }
    } catch {
      note(.unreadable, "\(store.path)/signatures/\(record.key.hex)", "\(error)", &ledger)
    }
    return signers.sorted()
  }
}
