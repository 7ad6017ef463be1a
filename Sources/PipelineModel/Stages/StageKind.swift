import Determinism

/// A kind of stage with its types erased, for the planner and the runner.
public struct StageKind: Sendable {
  public let name: String
  public let version: Int
  public let summary: String
  public internal(set) var inputs: [InputPort]
  public let outputs: [OutputPort]
  public let traits: [String]
  public let isRandom: Bool
  /// What the random streams of its stages are derived from, beside the seed.
  public let streamName: String
  public let highlights: [Highlight]
  /// New names of ports by those that they had in earlier versions.
  public let formerPortNames: [String: String]
  /// Whether several processes can execute a stage together.
  public let usesTeam: Bool
  /// The default parameters in canonical form.
  public let defaults: CanonicalValue
  /// The names of all parameters as pipeline files spell them, also of those without a default; sorted.
  public let parameterNames: [String]
  /// What some of them mean, in a few words.
  public private(set) var parameterSummaries: [String: String] = [:]
  /// Whether it only lists files on the user's disk.
  public let isSource: Bool
  /// The variable with the folder of a source; nil where the folder is known without one.
  public let sourceVariable: String?

  /// From what the user wrote.
  package let prepare: @Sendable (LocatedValue) throws -> PreparedStage
  /// From the complete set in canonical form, as a record keeps it.
  package var restore: @Sendable (CanonicalValue) throws -> PreparedStage

  /// Of a kind whose ports and seed depend on what the pipeline file says of a stage: the kind of that stage.
  package var specialize: (@Sendable (PipelineDescription.StageEntry, StageRegistry) throws -> StageKind)?
  /// The same from the parameters of a record.
  package var reinstate: (@Sendable (CanonicalValue, StageRegistry) throws -> StageKind)?
  /// Of a kind whose ports take any kind of artifact: the stage, once it is known what they are given.
  package var complete: (@Sendable ([InputPort]) -> PreparedStage)?
  /// Of a kind that takes the values of an element as they are: the stage of another element, from that of the first.
  /// Much quicker than to read its parameters again.
  package var vary: (@Sendable (PipelineDescription.Grid.Element, PreparedStage) throws -> PreparedStage)?

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
    streamName = S.streamName
    highlights = S.highlights
    formerPortNames = S.formerPortNames
    usesTeam = S.usesTeam
    isSource = false
    sourceVariable = nil
    let defaults = StageKind.canonical(parameters)
    self.defaults = defaults
    parameterNames = ParameterDecoder.names(of: S.Parameters.self, defaults: defaults, userInfo: userInfo)
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
    streamName = S.name
    highlights = []
    formerPortNames = [:]
    usesTeam = false
    isSource = true
    sourceVariable = S.variable
    let defaults = StageKind.canonical(S.Parameters())
    self.defaults = defaults
    parameterNames = ParameterDecoder.names(of: S.Parameters.self, defaults: defaults)
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

  /// A kind without its own type, whose parameters are already known.
  package init(
    name: String, version: Int, summary: String, inputs: [InputPort] = [], outputs: [OutputPort] = [],
    isRandom: Bool = false, isSource: Bool = false, defaults: CanonicalValue, parameterNames: [String] = [],
    parameterSummaries: [String: String] = [:], prepared: PreparedStage
  ) {
    self.name = name
    self.version = version
    self.summary = summary
    self.inputs = inputs
    self.outputs = outputs
    self.traits = []
    self.isRandom = isRandom
    self.streamName = name
    self.highlights = []
    self.formerPortNames = [:]
    self.usesTeam = false
    self.isSource = isSource
    self.sourceVariable = nil
    self.defaults = defaults
    self.parameterNames = parameterNames
    self.parameterSummaries = parameterSummaries
    self.prepare = { _ in prepared }
    self.restore = { _ in prepared }
  }

  private func check() {
    precondition(!outputs.isEmpty, "stage kind \(name): no outputs")
    precondition(Set(inputs.map(\.name)).count == inputs.count, "stage kind \(name): an input declared twice")
    precondition(Set(outputs.map(\.name)).count == outputs.count, "stage kind \(name): an output declared twice")
    for highlight in highlights {
      precondition(
        outputs.contains { $0.name == highlight.output && JSONFormat.kinds.contains($0.kind) },
        "stage kind \(name): highlight '\(highlight.name)' is of no json output")
    }
    for reserved in ["uses", "seed", "repeat"] {
      precondition(defaults[reserved] == nil, "stage kind \(name): a parameter may not be named '\(reserved)'")
    }
  }

  /// Whether the user set nothing, so that the defaults stand.
  private static func isEmpty(_ value: LocatedValue) -> Bool { value.members?.isEmpty ?? false }

  package static func canonical(_ parameters: some StageParameters) -> CanonicalValue {
    do {
      return try CanonicalValue(encoding: parameters)
    } catch {
      preconditionFailure("\(type(of: parameters)) has no canonical form: \(error)")
    }
  }

  /// Adds the place where the user wrote a parameter to an error about it.
  package static func locatingErrors<R>(in value: LocatedValue, _ body: () throws -> R) throws -> R {
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
