import Determinism

/// Resolves the references of a description, stage by stage.
struct PipelineLinks {
  package let description: PipelineDescription
  package let kinds: [StageKind]
  let scopes: [PipelineScopes.Scope]
  package let indices: [String: Int]

  struct Links {
    package var inputs: [String: Pipeline.InputBinding] = [:]
    /// Those of the kind; where a port takes anything, with what it is given here.
    package var ports: [InputPort]
    package var forEach: Pipeline.InputBinding?
    /// Stages that must come before.
    package var dependencies: [Int] = []
  }

  init(_ description: PipelineDescription, kinds: [StageKind]) throws {
    self.description = description
    self.kinds = kinds
    indices = Dictionary(
      description.stages.enumerated().map { ($0.element.name, $0.offset) }, uniquingKeysWith: { a, _ in a })
    scopes = try PipelineScopes(description, indices: indices).scopes
  }

  package func links(of reader: Int) throws -> Links {
    let entry = description.stages[reader]
    let kind = kinds[reader]
    var links = Links(ports: kind.inputs)
    if kind.isSource, let place = entry.forEach?.location ?? entry.repetition?.location {
      throw PipelineError(.badReference, at: place, "a source runs once: it can neither be fanned out nor repeated")
    }
    if let reference = entry.forEach { links.forEach = try array(reference) }
    for need in entry.needs {
      guard let i = kind.inputs.firstIndex(where: { $0.name == need.input }) else {
        if let name = kind.formerPortNames[need.input] {
          throw PipelineError(
            .unknownKey, at: need.inputLocation, "input '\(need.input)' of '\(kind.name)' is now called '\(name)'")
        }
        let hint = Suggestion.text(for: need.input, among: kind.inputs.map(\.name))
        throw PipelineError(
          .unknownKey, at: need.inputLocation, "stage kind '\(kind.name)' has no input '\(need.input)'\(hint)")
      }
      let port = kind.inputs[i]
      let (binding, found) = try bind(need.reference, port: port, reader: reader)
      links.inputs[port.name] = binding
      if port.takesAnything {
        links.ports[i] = InputPort(port.name, found, optional: true, list: binding.isList)
        continue
      }
      guard found == port.kind else {
        throw PipelineError(
          .wrongType, at: need.reference.location,
          "input '\(port.name)' of '\(kind.name)' takes \(port.kind), but '\(need.reference.text)' is \(found)")
      }
    }
    for port in kind.inputs where !port.isOptional && links.inputs[port.name] == nil {
      throw PipelineError(
        .missingKey, at: entry.nameLocation,
        "stage '\(entry.name)' needs an input '\(port.name)' (\(port.kind)); add it under 'needs'")
    }
    let bindings = links.inputs.values + (links.forEach.map { [$0] } ?? [])
    links.dependencies = Set(bindings.filter(\.isForward).compactMap(\.stage)).sorted()
    return links
  }

  private func array(_ reference: PipelineDescription.Reference) throws -> Pipeline.InputBinding {
    let (stage, output) = try resolve(reference.text, at: reference.location)
    guard ElementValue.kind(ofElementsOf: output.kind) != nil, scopes[stage].array == nil else {
      throw PipelineError(
        .badReference, at: reference.location,
        "for-each needs a json array or a tree of one stage; '\(reference.text)' is \(output.kind)"
          + (scopes[stage].array == nil ? "" : " of a fanned-out stage"))
    }
    return .output(stage: stage, name: output.name)
  }

  /// The binding of an input and the artifact kind it yields.
  private func bind(
    _ reference: PipelineDescription.Reference, port: InputPort, reader: Int
  ) throws -> (Pipeline.InputBinding, String) {
    let mine = scopes[reader]
    if reference.text == "each" {
      guard mine.array != nil else {
        throw PipelineError(
          .badReference, at: reference.location, "'each' is the element of 'for-each', and this stage has no 'for-each'"
        )
      }
      if port.isList {
        throw PipelineError(.wrongType, at: reference.location, "input '\(port.name)' takes a list, not one element")
      }
      let (_, array) = try resolve(description.stages[reader].forEach!.text, at: reference.location)
      return (.element, ElementValue.kind(ofElementsOf: array.kind) ?? JSONFormat.name)
    }
    for word in ["earlier", "previous"] where reference.text.startsWithBytes(of: word + " ") {
      return try bindBack(word, reference, port: port, reader: reader)
    }
    let (stage, output) = try resolve(reference.text, at: reference.location)
    let theirs = scopes[stage]
    let name = description.stages[stage].name
    let isInMyRound = theirs.loop == nil || theirs.loop == mine.loop
    let isMany = !isInMyRound || theirs.array != nil
    let takesList = port.isList || port.takesAnything && isMany && !(isInMyRound && theirs.array == mine.array)
    switch (takesList, isMany) {
    case (true, true): return (.list(stage: stage, name: output.name), output.kind)
    case (false, false): return (.output(stage: stage, name: output.name), output.kind)
    case (false, true) where isInMyRound && theirs.array == mine.array:
      return (.sibling(stage: stage, name: output.name), output.kind)
    case (true, false):
      throw PipelineError(
        .wrongType, at: reference.location,
        "input '\(port.name)' takes the artifacts of a fanned-out stage; '\(name)' runs once"
          + (theirs.loop == nil ? "" : " a round"))
    case (false, true):
      throw PipelineError(
        .wrongType, at: reference.location,
        isInMyRound
          ? "input '\(port.name)' takes one artifact, but '\(name)' is fanned out; "
            + "give this stage the same 'for-each' to go element by element"
          : "input '\(port.name)' takes one artifact, but '\(name)' runs once a round of a loop; "
            + "give this stage 'repeat: \(theirs.loop!.name)' to join it")
    }
  }

  /// `earlier stage.output` and `previous stage.output`.
  private func bindBack(
    _ word: String, _ reference: PipelineDescription.Reference, port: InputPort, reader: Int
  ) throws -> (Pipeline.InputBinding, String) {
    let rest = reference.text.utf8.dropFirst(word.utf8.count + 1).drop { $0 == UInt8(ascii: " ") }
    let text = String(decoding: rest, as: UTF8.self)
    let (stage, output) = try resolve(text, at: reference.location)
    guard let loop = scopes[reader].loop, scopes[stage].loop == loop else {
      throw PipelineError(
        .badReference, at: reference.location,
        "'\(word)' reads from earlier rounds of a loop, and '\(description.stages[stage].name)' and this stage are "
          + "not in one; 'repeat: ROUNDS' defines a loop, 'repeat: STAGE' joins it")
    }
    if word == "earlier" {
      guard port.isList || port.takesAnything else {
        throw PipelineError(
          .wrongType, at: reference.location,
          "input '\(port.name)' takes one artifact, not those of all earlier rounds; is it 'previous \(text)'?")
      }
      return (.earlier(stage: stage, name: output.name), output.kind)
    }
    guard scopes[stage].array == nil, !port.isList, port.isOptional else {
      let why =
        port.isList
        ? "takes a list; is it 'earlier \(text)'?"
        : port.isOptional
          ? "takes one artifact, but '\(description.stages[stage].name)' is fanned out"
          : "is required, but the first round has no round before it"
      throw PipelineError(.wrongType, at: reference.location, "input '\(port.name)' \(why)")
    }
    return (.previous(stage: stage, name: output.name), output.kind)
  }

  private func resolve(_ text: String, at location: SourceLocation) throws -> (stage: Int, output: OutputPort) {
    let parts = text.splitBytes(at: UInt8(ascii: "."))
    guard parts.count == 2 else {
      throw PipelineError(.badReference, at: location, "'\(text)': expected 'stage.output'")
    }
    guard let stage = indices[parts[0]] else {
      let hint = Suggestion.text(for: parts[0], among: description.stages.map(\.name))
      throw PipelineError(.unknownStage, at: location, "no stage '\(parts[0])'\(hint)")
    }
    guard let output = kinds[stage].outputs.first(where: { $0.name == parts[1] }) else {
      if let name = kinds[stage].formerPortNames[parts[1]] {
        throw PipelineError(
          .badReference, at: location, "output '\(parts[1])' of '\(kinds[stage].name)' is now called '\(name)'")
      }
      let hint = Suggestion.text(for: parts[1], among: kinds[stage].outputs.map(\.name))
      throw PipelineError(.badReference, at: location, "stage '\(parts[0])' has no output '\(parts[1])'\(hint)")
    }
    return (stage, output)
  }
}
