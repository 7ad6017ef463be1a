import ArtifactStore
import Determinism
import PipelineModel

/// One instance to be executed: everything that an executor has to know of it, in this process or in another one that
/// sees the same store.
///
/// Its form as text is canonical JSON. The stage itself is found in the registry of whoever executes the order, by the
/// kind and the parameters of the identity.
public struct WorkOrder: Sendable, Equatable {
  /// What the execution may take, and how it goes about its work. Nothing here may change a result.
  public struct Allowance: Sendable, Equatable {
    public var threads: Int
    /// Seconds between checkpoints; 0 saves one after every step, nil as often as it costs little.
    public var checkpointInterval: Double?
    public var sandbox: SandboxPolicy

    public init(threads: Int, checkpointInterval: Double?, sandbox: SandboxPolicy) {
      self.threads = threads
      self.checkpointInterval = checkpointInterval
      self.sandbox = sandbox
    }
  }

  /// What is to become of what the stage makes.
  public enum Purpose: String, Sendable {
    /// It is recorded, unless a record is there.
    case record
    /// It replaces what is damaged or missing of what a record names, and must be equal to it.
    case restore
    /// It is compared with what a record names, and dropped.
    case compare
  }

  public var purpose = Purpose.record
  /// Names, for the record and for messages.
  public let pipeline: String
  /// `finetune`, `evaluate[3]` or `evaluate[2,3]`.
  public let stage: String
  public let key: Digest
  /// The run that it is part of; empty for none.
  public let run: String
  public var allowance: Allowance
  /// What the stage asks of the machine.
  public var resources: Resources

  /// What the key is the digest of.
  package let identity: StageIdentity
  /// By the name of the port; one artifact unless the port is a list.
  package let inputs: [String: [Artifact]]
  /// The element of an array that some inputs are.
  package let element: Instance.Element?
  /// Of a source, what was found: it is only to be recorded.
  package let observed: [String: Artifact]?
  /// Folders of sources, by the digests of the trees that were found there.
  package let roots: [Digest: String]
  /// Where its programs come from.
  package let place: EnvironmentDescription?
  /// How it is executed.
  package var rules: ExecutionRules
  /// Goes into the record: program, host and the like.
  package var environment: CanonicalValue

  /// - Parameter trees: what is known of folders of sources; those that the instance needs go into the order.
  package init(
    _ instance: Instance, of pipeline: String, trees: [Digest: SourceTree], run: String, allowance: Allowance,
    purpose: Purpose = .record, resources: Resources = Resources(), place: EnvironmentDescription? = nil,
    rules: ExecutionRules = ExecutionRules(), environment: CanonicalValue
  ) {
    self.pipeline = pipeline
    self.run = run
    self.allowance = allowance
    self.purpose = purpose
    self.resources = resources
    self.place = place
    self.rules = rules
    self.environment = environment
    stage = instance.name
    key = instance.key
    identity = instance.identity
    inputs = instance.inputs
    element = instance.element
    observed = instance.observed
    var digests = instance.inputs.values.joined().filter(\.isExternal).map(\.digest)
    digests += (instance.observed ?? [:]).values.map(\.digest)
    if let origin = instance.element?.origin.array { digests.append(origin) }
    roots = Dictionary(digests.compactMap { d in trees[d].map { (d, $0.root) } }, uniquingKeysWith: { a, _ in a })
  }
}

extension WorkOrder {
  public var canonical: CanonicalValue {
    var members: [String: CanonicalValue] = [
      "purpose": .string(purpose.rawValue), "pipeline": .string(pipeline), "stage": .string(stage), "run": .string(run),
      "key": .string(key.hex),
      "identity": identity.canonical, "environment": environment,
      "inputs": .object(inputs.mapValues { .array($0.map(\.canonical)) }),
      "roots": .object(
        Dictionary(roots.map { ($0.key.hex, .string($0.value)) }, uniquingKeysWith: { a, _ in a })),
      "allowance": [
        "threads": .integer(allowance.threads),
        "checkpoint-interval": allowance.checkpointInterval.map { .number($0) } ?? .null,
        "sandbox": .string(allowance.sandbox.rawValue),
      ],
      "resources": resources.canonical,
    ]
    if let observed { members["observed"] = .object(observed.mapValues(\.canonical)) }
    if let element { members["element"] = element.canonical }
    if let place { members["place"] = place.canonical }
    if rules != ExecutionRules() { members["rules"] = rules.canonical }
    return .object(members)
  }

  /// Nil where the value is not exactly what `canonical` writes.
  public init?(canonical value: CanonicalValue) {
    guard let purpose = value["purpose"]?.stringValue.flatMap(Purpose.init(rawValue:)),
      let pipeline = value["pipeline"]?.stringValue, let stage = value["stage"]?.stringValue,
      let run = value["run"]?.stringValue, let environment = value["environment"],
      let identity = value["identity"].flatMap(StageIdentity.init(canonical:)),
      let inputs = value["inputs"]?.objectValue, let roots = value["roots"]?.objectValue,
      let threads = value["allowance"]?["threads"]?.integerValue, threads > 0,
      let interval = value["allowance"]?["checkpoint-interval"],
      let resources = value["resources"].map(Resources.init(canonical:)),
      let sandbox = value["allowance"]?["sandbox"]?.stringValue.flatMap(SandboxPolicy.init(rawValue:))
    else { return nil }
    self.purpose = purpose
    self.pipeline = pipeline
    self.stage = stage
    self.run = run
    self.identity = identity
    self.environment = environment
    key = identity.key
    allowance = Allowance(threads: threads, checkpointInterval: interval.numberValue, sandbox: sandbox)
    self.resources = resources
    place = value["place"].flatMap(EnvironmentDescription.init(canonical:))
    rules = value["rules"].map(ExecutionRules.init(canonical:)) ?? ExecutionRules()
    self.inputs = inputs.mapValues { ($0.arrayValue ?? []).compactMap(Artifact.init(canonical:)) }
    observed = value["observed"]?.objectValue?.compactMapValues(Artifact.init(canonical:))
    element = value["element"].flatMap(Instance.Element.init(canonical:))
    self.roots = Dictionary(
      roots.compactMap { name, root in
        Digest(hex: name).flatMap { digest in root.stringValue.map { (digest, $0) } }
      }, uniquingKeysWith: { a, _ in a })
    guard isConsistent else { return nil }
    // Members that were ignored or have another form are found here. Texts are compared: 20.0 and 20 have one.
    guard canonical.canonicalBytes == value.canonicalBytes else { return nil }
  }
}

extension WorkOrder {
  /// Whether the artifacts are those that the identity names, so that no result is recorded under a key of other inputs.
  private var isConsistent: Bool {
    guard Set(identity.inputs.keys) == Set(inputs.keys) else { return false }
    for (port, input) in identity.inputs {
      let digests = inputs[port]?.map(\.digest) ?? []
      switch input {
      case .single(let digest): guard digests == [digest] else { return false }
      case .list(let expected): guard digests == expected else { return false }
      }
    }
    if let element {
      for port in element.ports where inputs[port]?.map(\.digest) != [element.value.artifact.digest] { return false }
    }
    return identity.observed == (observed ?? [:]).mapValues(\.digest)
  }
}

extension WorkOrder: Codable {
  public init(from decoder: any Decoder) throws {
    guard let order = WorkOrder(canonical: try CanonicalValue(from: decoder)) else {
      throw DecodingError.dataCorrupted(
        .init(codingPath: decoder.codingPath, debugDescription: "not a work order, or one of another version"))
    }
    self = order
  }

  public func encode(to encoder: any Encoder) throws { try canonical.encode(to: encoder) }
}
