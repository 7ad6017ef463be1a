import ArtifactStore
import Determinism
import Foundation

/// What a record says, as an in-toto Statement v1 with SLSA provenance v1: the form that auditors' tools read.
///
/// The artifacts are the subjects; the stage, its parameters and inputs are the build. Times, host and threads are left
/// out but for the time of the execution.
struct Statement: Sendable {
  static let type = "https://in-toto.io/Statement/v1"
  static let predicateType = "https://slsa.dev/provenance/v1"
  /// What the parameters of the build mean: the README of Pipelines.
  static let buildType = "urn:pipelines:stage:v1"
  static let builder = "urn:pipelines:runner:v1"
  /// The digest that artifacts are named by; `sha256` beside it is that of the stored file.
  static let contentAlgorithm = "contentSha256"

  let canonical: CanonicalValue

  /// - Parameters:
  ///   - recordDigest: SHA-256 of the record.
  ///   - checksums: SHA-256 of the stored files, of a tree of its manifest, by output.
  init(of record: Record, recordDigest: Digest, checksums: [String: Digest]) {
    let identity = record.identity
    let subjects = record.outputs.sorted { $0.key < $1.key }.map { name, artifact -> CanonicalValue in
      var digests: [String: CanonicalValue] = [Statement.contentAlgorithm: .string(artifact.digest.hex)]
      if let checksum = checksums[name] { digests["sha256"] = .string(checksum.hex) }
      return [
        "name": .string("\(record.stage).\(name)"), "digest": .object(digests), "mediaType": .string(artifact.kind),
      ]
    }
    var parameters: [String: CanonicalValue] = [
      "kind": .string(identity.kind), "version": .integer(identity.version), "parameters": identity.parameters,
      "traits": .object(identity.traits.mapValues { .string($0) }),
    ]
    if let seed = identity.seed { parameters["seed"] = .string(String(seed)) }
    var dependencies = [CanonicalValue]()
    func depend(_ name: String, _ digest: Digest) {
      dependencies.append(["name": .string(name), "digest": [Statement.contentAlgorithm: .string(digest.hex)]])
    }
    for (name, input) in identity.inputs.sorted(by: { $0.key < $1.key }) {
      switch input {
      case .single(let digest): depend(name, digest)
      case .list(let digests): for (i, digest) in digests.enumerated() { depend("\(name)[\(i)]", digest) }
      }
    }
    for (name, digest) in identity.observed.sorted(by: { $0.key < $1.key }) { depend(name, digest) }
    var metadata: [String: CanonicalValue] = ["invocationId": .string(record.key.hex)]
    if !record.started.isEmpty {
      metadata["startedOn"] = .string(record.started)
      if let end = Statement.time(record.started, plus: record.seconds) { metadata["finishedOn"] = .string(end) }
    }
    canonical = [
      "_type": .string(Statement.type), "predicateType": .string(Statement.predicateType), "subject": .array(subjects),
      "predicate": [
        "buildDefinition": [
          "buildType": .string(Statement.buildType), "externalParameters": .object(parameters),
          "internalParameters": ["pipeline": .string(record.pipeline), "stage": .string(record.stage)],
          "resolvedDependencies": .array(dependencies),
        ],
        "runDetails": [
          "builder": ["id": .string(Statement.builder)], "metadata": .object(metadata),
          "byproducts": [["name": "record", "digest": ["sha256": .string(recordDigest.hex)]]],
        ],
      ],
    ]
  }

  /// Why a signed statement does not cover a record; nil where it does.
  static func objection(_ payload: [UInt8], to record: Record, recordDigest: Digest) -> String? {
    guard let value = try? CanonicalValue(json: payload), value["_type"]?.stringValue == type,
      value["predicateType"]?.stringValue == predicateType
    else { return "it is no in-toto statement with SLSA provenance" }
    let byproducts = value["predicate"]?["runDetails"]?["byproducts"]?.arrayValue ?? []
    guard byproducts.contains(where: { $0["digest"]?["sha256"]?.stringValue == recordDigest.hex }) else {
      return "it is about another record, or this one was changed since"
    }
    let named = Set((value["subject"]?.arrayValue ?? []).compactMap { $0["digest"]?[contentAlgorithm]?.stringValue })
    guard record.outputs.values.allSatisfy({ named.contains($0.digest.hex) }) else {
      return "it does not name all outputs of the record"
    }
    return nil
  }

  /// ISO 8601 in UTC, to the second.
  private static func time(_ start: String, plus seconds: Double) -> String? {
    let formatter = ISO8601DateFormatter()
    return formatter.date(from: start).map { formatter.string(from: $0 + seconds) }
  }
}
