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
    if kind.isSource, let place = entry.forEach?.location ?? entry.grid?.location ?? entry.repetition?.location {
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
        links.ports[i].elements = elements(of: binding, reader: reader)
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
    let (stage, output, slots) = try resolve(reference.text, at: reference.location)
    guard slots == nil, ElementValue.kind(ofElementsOf: output.kind) != nil, scopes[stage].array == nil else {
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
      if description.stages[reader].grid != nil {
        throw PipelineError(
          .badReference, at: reference.location,
          "an element of 'matrix', or of a list in the file, is no artifact: a command has its values as parameters, and "
            + "'with' names them '$each'")
      }
      guard mine.array != nil else {
        throw PipelineError(
          .badReference, at: reference.location, "'each' is the element of 'for-each', and this stage has no 'for-each'"
        )
      }
      if port.isList {
        throw PipelineError(.wrongType, at: reference.location, "input '\(port.name)' takes a list, not one element")
      }
      let (_, array, _) = try resolve(description.stages[reader].forEach!.text, at: reference.location)
      return (.element, ElementValue.kind(ofElementsOf: array.kind) ?? JSONFormat.name)
    }
    for word in ["earlier", "previous"] where reference.text.startsWithBytes(of: word + " ") {
      return try bindBack(word, reference, port: port, reader: reader)
    }
    let (stage, output, slots) = try resolve(reference.text, at: reference.location)
    let theirs = scopes[stage]
    let name = description.stages[stage].name
    let isInMyRound = theirs.loop == nil || theirs.loop == mine.loop
    if let slots { return (try pick(slots, of: stage, output, reference, port: port, isInMyRound), output.kind) }
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
    let (stage, output, slots) = try resolve(text, at: reference.location)
    guard slots == nil else {
      throw PipelineError(.badReference, at: reference.location, "'\(word)' takes a whole stage, not some instances")
    }
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

  /// Instances of a grid that a reference names by their values.
  private func pick(
    _ slots: [Int], of stage: Int, _ output: OutputPort, _ reference: PipelineDescription.Reference, port: InputPort,
    _ isInMyRound: Bool
  ) throws -> Pipeline.InputBinding {
    let name = description.stages[stage].name
    guard isInMyRound else {
      throw PipelineError(
        .badReference, at: reference.location,
        "'\(name)' runs in the rounds of a loop; give this stage 'repeat: \(scopes[stage].loop!.name)' to name an instance"
      )
    }
    // A reference with all values means one instance, whatever is excluded; one with some of them means a list.
    let named = StageAddress(PipelineLinks.split(reference.text)?.stage ?? "").conditions.count
    let all = description.stages[stage].grid!.elements[slots[0]].values.count
    let isList = port.isList || port.takesAnything && named > 0 && named < all
    guard isList || slots.count == 1 else {
      throw PipelineError(
        .wrongType, at: reference.location,
        "input '\(port.name)' takes one artifact, but '\(reference.text)' means \(slots.count) instances; name more values"
      )
    }
    return .picked(stage: stage, slots: slots, name: output.name, isList: isList)
  }

  /// The values that the artifacts of a list were made with; none where they come from no grid.
  private func elements(of binding: Pipeline.InputBinding, reader: Int) -> [CanonicalValue] {
    guard binding.isList, let stage = binding.stage, let grid = description.stages[stage].grid,
      scopes[stage].loop == nil || scopes[stage].loop == scopes[reader].loop
    else { return [] }
    switch binding {
    case .list: return grid.elements.map(\.canonical)
    case .picked(_, let slots, _, _): return slots.map { grid.elements[$0].canonical }
    case .output, .sibling, .earlier, .previous, .element: return []
    }
  }

  /// `stage.output` apart; values of instances in brackets may hold dots.
  private static func split(_ text: String) -> (stage: String, output: String)? {
    guard let close = text.utf8.lastIndex(of: UInt8(ascii: "]")) else {
      let parts = text.splitBytes(at: UInt8(ascii: "."))
      return parts.count == 2 ? (parts[0], parts[1]) : nil
    }
    let rest = text.utf8[text.utf8.index(after: close)...]
    guard rest.first == UInt8(ascii: "."), !rest.dropFirst().contains(UInt8(ascii: ".")) else { return nil }
    return (
      String(decoding: text.utf8[...close], as: UTF8.self), String(decoding: rest.dropFirst(), as: UTF8.self)
    )
  }

  /// - Returns: the stage and its output, and which instances are meant where the reference names some.
  private func resolve(
    _ text: String, at location: SourceLocation
  ) throws -> (stage: Int, output: OutputPort, slots: [Int]?) {
    if FileReference(text) != nil, let stage = indices[text] { return (stage, kinds[stage].outputs[0], nil) }
    guard let (named, name) = PipelineLinks.split(text) else {
      throw PipelineError(.badReference, at: location, "'\(text)': expected 'stage.output'")
    }
    let address = StageAddress(named)
    guard let stage = indices[address.stage] else {
      // Whoever names a file means it.
      let isFile =
        RelativePath.problem(text) == nil
        && Files.exists("\(Checkout.folder(ofFile: location.file))/\(text)")
      let hint =
        isFile ? "; the file is named '\"file:\(text)\"'" : Suggestion.text(for: address.stage, among: stageNames)
      throw PipelineError(.unknownStage, at: location, "no stage '\(address.stage)'\(hint)")
    }
    guard let output = kinds[stage].outputs.first(where: { $0.name == name }) else {
      if let present = kinds[stage].formerPortNames[name] {
        throw PipelineError(
          .badReference, at: location, "output '\(name)' of '\(kinds[stage].name)' is now called '\(present)'")
      }
      let hint = Suggestion.text(for: name, among: kinds[stage].outputs.map(\.name))
      throw PipelineError(.badReference, at: location, "stage '\(address.stage)' has no output '\(name)'\(hint)")
    }
    return (stage, output, try slots(of: address, stage, at: location))
  }

  /// Names that a user may refer to.
  private var stageNames: [String] { description.stages.map(\.name).filter { FileReference($0) == nil } }

  private func slots(of address: StageAddress, _ stage: Int, at location: SourceLocation) throws -> [Int]? {
    if address.indices.isEmpty && address.conditions.isEmpty { return nil }
    guard let grid = description.stages[stage].grid, address.indices.isEmpty || address.conditions.isEmpty,
      address.indices.count <= 1
    else {
      throw PipelineError(
        .badReference, at: location,
        "only instances of a 'matrix', or of a list in the file, can be named here, as train[seed=2].model")
    }
    if let index = address.indices.first {
      guard index < grid.elements.count else {
        throw PipelineError(
          .badReference, at: location,
          "'\(address.stage)' has \(grid.elements.count) instances, numbered from 0")
      }
      return [index]
    }
    do {
      return try grid.slots(with: address.conditions, of: address.stage)
    } catch let error as PipelineError {
      throw PipelineError(error.code, at: location, error.message)
    }
  }
}
