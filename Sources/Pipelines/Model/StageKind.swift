import Determinism

/// A kind of stage with its types erased: what the planner and the runner handle.
public struct StageKind: Sendable {
  public let name: String
  public let version: Int
  public let summary: String
  public internal(set) var inputs: [InputPort]
  public let outputs: [OutputPort]
  public let traits: [String]
  public let isRandom: Bool
  public let highlights: [Highlight]
  /// New names of ports by those that they had in earlier versions.
  public let formerPortNames: [String: String]
  /// The default parameters in canonical form.
  public let defaults: CanonicalValue
  /// Whether it only looks at files on the user's disk.
  public let isSource: Bool
  /// Of a source in a folder that may lie anywhere, the variable with that folder.
  public let sourceVariable: String?

  /// From what the user wrote.
  let prepare: @Sendable (LocatedValue) throws -> PreparedStage
  /// From the complete set in canonical form, as a record keeps it.
  var restore: @Sendable (CanonicalValue) throws -> PreparedStage

  /// Of a kind whose ports and seed depend on what the pipeline file says, the kind that one stage makes of it.
  var specialize: (@Sendable (PipelineDescription.StageEntry, StageRegistry) throws -> StageKind)?
  /// The same from the parameters of a record.
  var reinstate: (@Sendable (CanonicalValue, StageRegistry) throws -> StageKind)?
  /// Of a kind whose ports take anything: the stage, once it is known what they are given.
  var complete: (@Sendable ([InputPort]) -> PreparedStage)?

  /// - Parameters:
  ///   - defaults: the parameters of a stage of which the pipeline file says none.
  ///   - userInfo: what decoders of the parameters are told.
  ///   - make: makes a stage that takes more than its parameters.
  public init<S: Stage>(
    _ type: S.Type, defaults parameters: S.Parameters = S.Parameters(),
    userInfo: [CodingUserInfoKey: any Sendable] = [:],
    make: @escaping @Sendable (S.Parameters) throws -> S = { try S(parameters: $0) }
  ) {
    name = S.name
    version = S.version
    summary = S.summary
    inputs = S.inputs
    outputs = S.outputs
    traits = S.traits.sorted()
    isRandom = S.isRandom
    highlights = S.highlights
    formerPortNames = S.formerPortNames
    isSource = false
    sourceVariable = nil
    let defaults = StageKind.canonical(parameters)
    self.defaults = defaults
    prepare = { value in
      let parameters = try ParameterDecoder.decode(
        S.Parameters.self, from: value, defaults: defaults, userInfo: userInfo)
      let stage = try StageKind.locatingErrors(in: value) { try make(parameters) }
      return PreparedStage(
        parameters: StageKind.isEmpty(value) ? defaults : StageKind.canonical(parameters),
        body: .stage({ try stage.run(in: $0) }), subject: stage)
    }
    restore = { value in
      let parameters = try value.decoded(as: S.Parameters.self, userInfo: userInfo)
      let stage = try make(parameters)
      return PreparedStage(
        parameters: StageKind.canonical(parameters), body: .stage({ try stage.run(in: $0) }), subject: stage)
    }
    check()
  }

  public init<S: Source>(source type: S.Type) {
    name = S.name
    version = S.version
    summary = S.summary
    inputs = []
    outputs = S.outputs.map { OutputPort($0, TreeFormat.name) }
    traits = []
    isRandom = false
    highlights = []
    formerPortNames = [:]
    isSource = true
    sourceVariable = S.variable
    let defaults = StageKind.canonical(S.Parameters())
    self.defaults = defaults
    prepare = { value in
      let parameters = try ParameterDecoder.decode(S.Parameters.self, from: value, defaults: defaults)
      return StageKind.prepared(try StageKind.locatingErrors(in: value) { try S(parameters: parameters) }, parameters)
    }
    restore = { value in
      let parameters = try value.decoded(as: S.Parameters.self)
      return StageKind.prepared(try S(parameters: parameters), parameters)
    }
    check()
  }

  private static func prepared<S: Source>(_ source: S, _ parameters: S.Parameters) -> PreparedStage {
    let folder = SourceFolder(
      root: .variable(S.variable), contents: { source.contents(of: $0) }, selects: { source.selects($0, for: $1) })
    return PreparedStage(parameters: canonical(parameters), body: .source(folder), subject: source)
  }

  /// A kind without a type of its own, whose parameters are known.
  init(
    name: String, version: Int, summary: String, inputs: [InputPort] = [], outputs: [OutputPort] = [],
    isRandom: Bool = false, isSource: Bool = false, defaults: CanonicalValue, prepared: PreparedStage
  ) {
    self.name = name
    self.version = version
    self.summary = summary
    self.inputs = inputs
    self.outputs = outputs
    self.traits = []
    self.isRandom = isRandom
    self.highlights = []
    self.formerPortNames = [:]
    self.isSource = isSource
    self.sourceVariable = nil
    self.defaults = defaults
    self.prepare = { _ in prepared }
    self.restore = { _ in prepared }
  }

  private func check() {
    precondition(!outputs.isEmpty, "stage kind \(name): no outputs")
    precondition(Set(inputs.map(\.name)).count == inputs.count, "stage kind \(name): an input declared twice")
    precondition(Set(outputs.map(\.name)).count == outputs.count, "stage kind \(name): an output declared twice")
    for highlight in highlights {
      precondition(
        outputs.contains { $0.name == highlight.output && $0.kind == JSONFormat.name },
        "stage kind \(name): highlight '\(highlight.name)' is of no json output")
    }
    for reserved in ["uses", "seed", "repeat"] {
      precondition(defaults[reserved] == nil, "stage kind \(name): a parameter may not be named '\(reserved)'")
    }
  }

  /// Whether the user set nothing, so that the defaults stand.
  private static func isEmpty(_ value: LocatedValue) -> Bool { value.members?.isEmpty ?? false }

  static func canonical(_ parameters: some StageParameters) -> CanonicalValue {
    do {
      return try CanonicalValue(encoding: parameters)
    } catch {
      preconditionFailure("\(type(of: parameters)) has no canonical form: \(error)")
    }
  }

  /// Gives an error about a parameter the place where the user wrote it.
  static func locatingErrors<R>(in value: LocatedValue, _ body: () throws -> R) throws -> R {
    do {
      return try body()
    } catch let error as ParameterError {
      var place = value
      for name in error.parameter.split(separator: ".") {
        guard let next = place[ParameterNames.fileSpelling(of: String(name))] else { break }
        place = next
      }
      throw PipelineError(.badValue, at: place.location, error.description)
    }
  }
}

/// A stage with its parameters, ready to run.
struct PreparedStage: Sendable {
  enum Body: Sendable {
    case stage(@Sendable (StageContext) throws -> Void)
    case source(SourceFolder)
  }

  /// The complete set in canonical form.
  let parameters: CanonicalValue
  let body: Body
  /// Programs that it runs: their identities are in the key.
  var command: Command?
  /// The `Stage` or `Source` itself, for whoever knows more of it; nil of a kind without a type of its own.
  var subject: (any Sendable)?
}

/// What a source wants from its root folder.
struct SourceFolder: Sendable {
  enum Root: Sendable {
    /// The folder that a variable names.
    case variable(String)
    case folder(String)
  }

  let root: Root
  let contents: @Sendable (String) -> [String]
  let selects: @Sendable (_ path: String, _ output: String) -> Bool
  /// Whether the store keeps the files themselves, with their modes, and not only a manifest.
  var isCopied = false
}

/// All that pipelines may use: kinds of stages, artifact formats, and the values of the traits that kinds declare. The
/// kinds `command` and `files` and the formats `json`, `tree` and `file` are always among them.
public struct StageRegistry: Sendable {
  public let kinds: [String: StageKind]
  public let formats: [String: any ArtifactFormat]
  public let traits: [String: String]
  /// New names of kinds by those that they had in earlier versions.
  public let formerKindNames: [String: String]

  /// - Parameter formerKindNames: new names by former ones; a pipeline file with a former one gets an error.
  /// - Precondition: names are unique; every declared trait has a value and every port a known format; former names
  ///   lead to kinds and are none.
  public init(
    kinds: [StageKind], formats: [any ArtifactFormat] = [], traits: [String: String] = [:],
    formerKindNames: [String: String] = [:]
  ) {
    let all: [any ArtifactFormat] = [JSONFormat(), TreeFormat(), FileFormat()] + formats
    self.kinds = Dictionary(
      (kinds + [.command, .files]).map { ($0.name, $0) },
      uniquingKeysWith: { a, _ in preconditionFailure("two stage kinds named \(a.name)") })
    self.formats = Dictionary(
      all.map { (type(of: $0).name, $0) },
      uniquingKeysWith: { a, _ in preconditionFailure("two formats named \(type(of: a).name)") })
    self.traits = traits
    self.formerKindNames = formerKindNames
    for (former, name) in formerKindNames {
      precondition(self.kinds[former] == nil && self.kinds[name] != nil, "renamed stage kind: \(former) to \(name)")
    }
    for kind in kinds {
      for trait in kind.traits {
        precondition(traits[trait] != nil, "stage kind \(kind.name): trait '\(trait)' has no value")
      }
      for format in kind.inputs.map(\.kind) + kind.outputs.map(\.kind) {
        precondition(self.formats[format] != nil, "stage kind \(kind.name): unknown artifact format '\(format)'")
      }
    }
  }

  /// - Throws: code `badArtifact` for a format that is not registered: records come from other programs too.
  func format(_ name: String) throws -> any ArtifactFormat {
    guard let format = formats[name] else {
      throw PipelineError(
        .badArtifact, "this program knows no kind of artifact '\(name)'; the program that made it does")
    }
    return format
  }

  /// The ending of an object's file. Of an unknown kind it is one that no object has.
  func fileExtension(ofKind name: String) -> String {
    formats[name].map { type(of: $0).fileExtension } ?? "unknown"
  }
}
