import Determinism
import PipelineModel

extension StageKind {
  /// A kind that runs any program as a stage.
  ///
  /// ```yaml
  /// count:
  ///   uses: command
  ///   needs: { text: book.files, script: scripts.files }
  ///   with:
  ///     run: [awk, -f, script/count.awk, text/book.txt]
  ///     stdout: counts.txt
  ///     outputs: { counts: counts.txt }
  /// ```
  ///
  /// The program works in a folder that holds its inputs, read-only, under their names, and nothing else. `outputs` are
  /// paths there: `x.json` is a `json` artifact, `x/` a tree, anything else a file, unless `{ path, kind }` says
  /// otherwise. It sees `environment`, `THREADS`, of `random: true` also `SEED`, and a `PATH` with the programs of
  /// `run` and `tools`. What those programs are is in the key: the digests of their files, or what a `version` command
  /// prints.
  public static let command: StageKind = {
    var kind = StageKind(
      name: "command", version: 1, summary: "runs a program: declared inputs in, declared outputs out",
      defaults: canonical(CommandParameters()),
      parameterNames: CommandParameters.names,
      parameterSummaries: CommandParameters.summaries,
      prepared: PreparedStage(parameters: .null, body: .stage({ _ in })))
    kind.specialize = { entry, registry in
      let with = entry.with.without("seed")
      try refuseUnknown(with, of: entry)
      var parameters = try CommandParameters.parsed(from: with, defaults: StageKind.command.defaults)
      let own = parameters.parameters
      parameters.complete(with: entry)
      let folder = Checkout.folder(ofFile: entry.nameLocation.file)
      return try StageKind.locatingErrors(in: with) {
        try command(
          parameters, own: own ?? FreeParameters(),
          inputs: entry.needs.map { InputPort($0.input, InputPort.anyKind, optional: true) },
          hidden: Checkout.root(above: folder), in: registry)
      }
    }
    kind.reinstate = { value, registry in
      let parameters = try value.decoded(as: CommandParameters.self)
      let inputs = try (value[inputsName]?.objectValue ?? [:]).sorted { $0.key < $1.key }.map { name, text in
        let words = (text.stringValue ?? "").split(separator: " ")
        guard let kind = words.first, words.count == 1 || words.count == 2 && words[1] == "list" else {
          throw ParameterError(inputsName, "'\(name)': not a kind of artifact")
        }
        var port = InputPort(name, String(kind), optional: true, list: words.count == 2)
        port.elements = value[elementsName]?[name]?.arrayValue ?? []
        return port
      }
      let here = Checkout.root(above: Files.absolute("."))
      var kind = try command(parameters, inputs: inputs, hidden: here, in: registry)
      let prepared = kind.complete!(inputs)
      kind.restore = { _ in prepared }
      return kind
    }
    return kind
  }()

  /// Where the complete parameters say of what kinds the inputs are: what is laid out depends on it.
  private static let inputsName = "inputs"
  /// And of lists from a grid, what their artifacts were made with.
  private static let elementsName = "elements"

  /// - Throws: for a name that neither the command nor its free parameters have.
  private static func refuseUnknown(_ with: LocatedValue, of entry: PipelineDescription.StageEntry) throws {
    guard let free = with[FreeParameters.member]?.members?.map(\.name), !free.isEmpty else { return }
    for member in with.members ?? [] where !FreeParameters.namesOfCommand.contains(member.name) {
      let own = FreeParameters.namesOfCommand.sorted()
      let hint = Suggestion.closest(to: member.name, among: free + own).map { "; did you mean '\($0)'?" } ?? ""
      let advice =
        free.contains(member.name)
        ? "; under 'with' it stands in 'parameters'"
        : hint.isEmpty
          ? "; 'parameters' has \(free.sortedByBytes().joined(separator: ", ")), a command \(own.joined(separator: ", "))"
          : hint
      throw PipelineError(
        .unknownKey, at: member.nameLocation, "stage '\(entry.name)': unknown parameter '\(member.name)'\(advice)")
    }
  }

  /// - Parameter own: the free parameters without those of an element.
  private static func command(
    _ parameters: CommandParameters, own: FreeParameters = FreeParameters(), inputs: [InputPort], hidden: String,
    in registry: StageRegistry
  ) throws -> StageKind {
    let command = try Command(
      parameters, inputs: inputs.map(\.name), hidden: [hidden], kinds: Set(registry.formats.keys))
    let stage = CommandStage(command: command)
    let generic = StageKind.command
    var kind = StageKind(
      name: generic.name, version: generic.version, summary: generic.summary, inputs: inputs,
      outputs: command.outputs.map { OutputPort($0.name, $0.kind) }, isRandom: command.isRandom,
      defaults: generic.defaults, prepared: PreparedStage(parameters: .null, body: .stage({ _ in })))
    kind.complete = { ports in
      var members = canonical(parameters).objectValue ?? [:]
      members[inputsName] = .object(
        Dictionary(uniqueKeysWithValues: ports.map { ($0.name, .string($0.isList ? "\($0.kind) list" : $0.kind)) }))
      let elements = ports.filter { !$0.elements.isEmpty }.map { ($0.name, CanonicalValue.array($0.elements)) }
      if !elements.isEmpty {
        members[elementsName] = .object(Dictionary(uniqueKeysWithValues: elements))
      }
      return PreparedStage(
        parameters: .object(members), body: .stage({ try stage.run(in: $0) }), tools: command)
    }
    kind.vary = { element, first in
      let values = try own.with(element)
      let command = try command.with(values)
      let stage = CommandStage(command: command)
      var members = first.parameters.objectValue ?? [:]
      members[FreeParameters.member] = .object(values.values)
      return PreparedStage(
        parameters: .object(members), body: .stage({ try stage.run(in: $0) }), tools: command)
    }
    return kind
  }
}

extension FreeParameters {
  /// With the values of an element of a grid, in the form that records have.
  fileprivate func with(_ element: PipelineDescription.Grid.Element?) throws -> FreeParameters {
    var values = values
    for (name, value) in element?.values ?? [] { values[name] = value }
    return FreeParameters(try CanonicalValue(json: CanonicalValue.object(values).canonicalBytes).objectValue ?? [:])
  }
}

extension CommandParameters {
  /// Adds what the pipeline file says of a stage elsewhere than under `with`: the values of its element, and where its
  /// `file:` inputs lie.
  fileprivate mutating func complete(with entry: PipelineDescription.StageEntry) {
    var values = parameters?.values ?? [:]
    for (name, value) in entry.element?.values ?? [] { values[name] = value }
    // No parameters and none of these are one.
    parameters = values.isEmpty ? nil : FreeParameters(values)
    for need in entry.needs where places[need.input] == nil {
      if let path = FileReference(need.reference.text)?.path { places[need.input] = path }
    }
  }
}

extension LocatedValue {
  /// This mapping without one of its members.
  func without(_ name: String) -> LocatedValue {
    guard let members else { return self }
    return LocatedValue(.object(members.filter { $0.name != name }), at: location)
  }
}
