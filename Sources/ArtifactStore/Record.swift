import Determinism
import PipelineModel

/// The description of one execution of a stage.
package struct Record: Sendable {
  package var identity: StageIdentity
  /// Names at the time of the execution; not part of any key.
  package var pipeline: String
  package var stage: String
  package var outputs: [String: Artifact]
  /// Bytes that each output took in the store.
  package var sizes: [String: Int]
  /// SHA-256 of each output's file, of a tree of its manifest, as it was written.
  package var checksums: [String: Digest]
  /// Inputs that are elements of an array or files of a tree, by port: which element of what.
  package var elements: [String: Element]
  package var trace: Trace
  /// Program, host, threads and the like; free of form.
  package var environment: CanonicalValue
  package var run: String
  /// ISO 8601, UTC.
  package var started: String
  package var seconds: Double

  package struct Element: Equatable, Sendable {
    /// The array, or the tree.
    package var array: Digest
    package var index: Int
    /// Of the element as an artifact: `json`, or `file` of a tree's files.
    package var kind = JSONFormat.name

    package var canonical: CanonicalValue {
      var members: [String: CanonicalValue] = ["array": .string(array.hex), "index": .integer(index)]
      if kind != JSONFormat.name { members["kind"] = .string(kind) }
      return .object(members)
    }

    package init(array: Digest, index: Int, kind: String = JSONFormat.name) {
      (self.array, self.index, self.kind) = (array, index, kind)
    }

    package init?(canonical value: CanonicalValue) {
      guard let array = value["array"]?.stringValue.flatMap(Digest.init(hex:)), let i = value["index"]?.integerValue
      else { return nil }
      self.init(array: array, index: i, kind: value["kind"]?.stringValue ?? JSONFormat.name)
    }
  }

  /// What the pipeline file called the environment of its programs; nil where there was none.
  package var environmentName: String? { environment["environment"]?["name"]?.stringValue }

  /// Of what that environment consisted of.
  package var environmentDigest: Digest? { identity.traits[EnvironmentStore.trait].flatMap(Digest.init(hex:)) }

  /// Larger files are not records; one that traces a thousand tensors at a hundred steps has about 10 MiB.
  package static let sizeLimit = 256 << 20

  package var key: Digest { identity.key }

  package var canonical: CanonicalValue {
    [
      "key": .string(key.hex), "identity": identity.canonical, "pipeline": .string(pipeline), "stage": .string(stage),
      "outputs": .object(outputs.mapValues(\.canonical)), "sizes": .object(sizes.mapValues { .integer($0) }),
      "checksums": .object(checksums.mapValues { .string($0.hex) }),
      "elements": .object(elements.mapValues(\.canonical)),
      "trace": trace.canonical, "environment": environment, "run": .string(run), "started": .string(started),
      "seconds": .number(seconds),
    ]
  }

  /// The record's file: canonical JSON, so that any changed byte shows, with the digest of the record beside it.
  package var fileBytes: [UInt8] {
    let body = canonical.canonicalBytes
    return Record.fileBytes(body: body, digest: Digest(of: body))
  }

  /// The canonical form of `{record, sha256}`.
  private static func fileBytes(body: [UInt8], digest: Digest) -> [UInt8] {
    Array("{\"record\":".utf8) + body + Array(",\"sha256\":\"\(digest.hex)\"}\n".utf8)
  }

  /// Reads a record's file and verifies it against itself.
  /// - Throws: `PipelineError` of code `damaged` that says what is wrong.
  package init(fileBytes bytes: [UInt8], at path: String) throws {
    func damaged(_ why: String) -> PipelineError { PipelineError(.damaged, "\(path): \(why)") }
    guard let file = try? CanonicalValue(json: bytes), let body = file["record"],
      let digest = file["sha256"]?.stringValue
    else { throw damaged("not a record") }
    // Records may be long, so their canonical form is written as few times as possible.
    let bodyBytes = body.canonicalBytes
    let bodyDigest = Digest(of: bodyBytes)
    guard bodyDigest.hex == digest, Record.fileBytes(body: bodyBytes, digest: bodyDigest) == bytes else {
      throw damaged("the record was changed after it was written: its digest does not match")
    }
    guard let identity = body["identity"].flatMap(StageIdentity.init(canonical:)),
      let outputs = body["outputs"]?.objectValue, let trace = body["trace"].flatMap(Trace.init(canonical:))
    else { throw damaged("the record lacks parts or is of another version") }
    guard body["key"]?.stringValue == identity.key.hex else { throw damaged("the key is not that of the identity") }
    self.init(
      identity: identity, pipeline: body["pipeline"]?.stringValue ?? "", stage: body["stage"]?.stringValue ?? "",
      outputs: outputs.compactMapValues(Artifact.init(canonical:)),
      sizes: (body["sizes"]?.objectValue ?? [:]).compactMapValues(\.integerValue),
      checksums: (body["checksums"]?.objectValue ?? [:]).compactMapValues {
        $0.stringValue.flatMap(Digest.init(hex:))
      },
      elements: (body["elements"]?.objectValue ?? [:]).compactMapValues(Element.init(canonical:)), trace: trace,
      environment: body["environment"] ?? .null, run: body["run"]?.stringValue ?? "",
      started: body["started"]?.stringValue ?? "", seconds: body["seconds"]?.numberValue ?? 0)
    // Members that were ignored or have another type are found here.
    guard canonical.digest.hex == digest else { throw damaged("parts of the record are of another form") }
    if let why = contradiction { throw damaged(why) }
  }

  /// What in the record contradicts itself, or is no value that an execution can have; nil where nothing does.
  private var contradiction: String? {
    if seconds < 0 || sizes.values.contains(where: { $0 < 0 }) || elements.values.contains(where: { $0.index < 0 }) {
      return "a time, a size or an index is negative"
    }
    for (name, digest) in identity.observed.sorted(by: { $0.key < $1.key }) where outputs[name]?.digest != digest {
      return "the output '\(name)' is not what the source observed"
    }
    return nil
  }

  package init(
    identity: StageIdentity, pipeline: String, stage: String, outputs: [String: Artifact], sizes: [String: Int],
    checksums: [String: Digest], elements: [String: Element], trace: Trace, environment: CanonicalValue, run: String,
    started: String,
    seconds: Double
  ) {
    self.identity = identity
    self.pipeline = pipeline
    self.stage = stage
    self.outputs = outputs
    self.sizes = sizes
    self.checksums = checksums
    self.elements = elements
    self.trace = trace
    self.environment = environment
    self.run = run
    self.started = started
    // To the millisecond, as it is written.
    self.seconds = seconds.magnitude < 1e12 ? (seconds * 1000).rounded() / 1000 : seconds
  }
}
