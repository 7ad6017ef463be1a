import Determinism

extension Pipeline {
  /// Checks a description against the kinds there are.
  /// - Throws: `PipelineError` with the place of the first mistake and, where one is near, a suggestion.
  public init(_ description: PipelineDescription, registry: StageRegistry) throws {
    let kinds = try description.stages.map { try Pipeline.kind(of: $0, in: registry) }
    let written = WrittenStages(
      entries: description.stages, kinds: kinds,
      places: Dictionary(
        description.stages.enumerated().map { ($0.element.name, $0.offset) }, uniquingKeysWith: { first, _ in first }))
    let links = try zip(description.stages, kinds).map { entry, kind in
      try Pipeline.link(entry, kind: kind, among: written)
    }
    let order = try Pipeline.order(description, dependencies: links.map(\.dependencies))
    var place = [Int](repeating: 0, count: order.count)
    for (new, old) in order.enumerated() { place[old] = new }

    func move(_ binding: InputBinding) -> InputBinding {
      switch binding {
      case .output(let s, let n): .output(stage: place[s], name: n)
      case .list(let s, let n): .list(stage: place[s], name: n)
      case .sibling(let s, let n): .sibling(stage: place[s], name: n)
      case .element: .element
      }
    }
    var stages = try order.map { old -> StageNode in
      let entry = description.stages[old]
      let (seed, with) = try Pipeline.splitSeed(entry.with, kind: kinds[old])
      return StageNode(
        name: entry.name, kind: kinds[old], prepared: try kinds[old].prepare(with), seed: seed ?? description.seed,
        inputs: links[old].inputs.mapValues(move), forEach: links[old].forEach.map(move),
        dependencies: links[old].dependencies.map { place[$0] }.sorted())
    }
    for i in stages.indices {
      for d in stages[i].dependencies { stages[d].dependents.append(i) }
    }
    self.name = description.name
    self.file = description.file
    self.stages = stages
  }

  private static func kind(
    of entry: PipelineDescription.StageEntry, in registry: StageRegistry
  ) throws -> StageKind {
    guard let kind = registry.kinds[entry.uses] else {
      let hint = Suggestion.text(for: entry.uses, among: Array(registry.kinds.keys))
      throw PipelineError(.unknownKind, at: entry.usesLocation, "unknown stage kind '\(entry.uses)'\(hint)")
    }
    return kind
  }

  /// The stages as they were written, to look references up in.
  private struct WrittenStages {
    let entries: [PipelineDescription.StageEntry]
    let kinds: [StageKind]
    let places: [String: Int]
  }

  private struct Links {
    var inputs: [String: InputBinding] = [:]
    var forEach: InputBinding?
    var dependencies: [Int] = []
  }

  private static func link(
    _ entry: PipelineDescription.StageEntry, kind: StageKind, among stages: WrittenStages
  ) throws -> Links {
    var links = Links()
    var sources = Set<Int>()
    if let reference = entry.forEach {
      if kind.isSource {
        throw PipelineError(.badReference, at: reference.location, "a source can't be fanned out")
      }
      let (stage, output) = try resolve(reference, among: stages)
      guard output.kind == JSONFormat.name, stages.entries[stage].forEach == nil else {
        throw PipelineError(
          .badReference, at: reference.location,
          "for-each needs a json array of one stage; '\(reference.text)' is \(output.kind)"
            + (stages.entries[stage].forEach == nil ? "" : " of a fanned-out stage"))
      }
      links.forEach = .output(stage: stage, name: output.name)
      sources.insert(stage)
    }
    for need in entry.needs {
      guard let port = kind.inputs.first(where: { $0.name == need.input }) else {
        let hint = Suggestion.text(for: need.input, among: kind.inputs.map(\.name))
        throw PipelineError(
          .unknownKey, at: need.inputLocation, "stage kind '\(kind.name)' has no input '\(need.input)'\(hint)")
      }
      let (binding, found) = try bind(need, port: port, entry: entry, among: stages)
      guard found == port.kind else {
        throw PipelineError(
          .wrongType, at: need.reference.location,
          "input '\(port.name)' of '\(kind.name)' takes \(port.kind), but '\(need.reference.text)' is \(found)")
      }
      links.inputs[port.name] = binding
      switch binding {
      case .output(let s, _), .list(let s, _), .sibling(let s, _): sources.insert(s)
      case .element: break
      }
    }
    for port in kind.inputs where !port.isOptional && links.inputs[port.name] == nil {
      throw PipelineError(
        .missingKey, at: entry.nameLocation,
        "stage '\(entry.name)' needs an input '\(port.name)' (\(port.kind)); add it under 'needs'")
    }
    links.dependencies = sources.sorted()
    return links
  }

  /// The binding of an input and the artifact kind it yields.
  private static func bind(
    _ need: PipelineDescription.Need, port: InputPort, entry: PipelineDescription.StageEntry,
    among stages: WrittenStages
  ) throws -> (InputBinding, String) {
    let reference = need.reference
    if reference.text == "each" {
      guard entry.forEach != nil else {
        throw PipelineError(
          .badReference, at: reference.location, "'each' is the element of 'for-each', which this stage has not")
      }
      if port.isList {
        throw PipelineError(.wrongType, at: reference.location, "input '\(port.name)' takes a list, not one element")
      }
      return (.element, JSONFormat.name)
    }
    let (stage, output) = try resolve(reference, among: stages)
    let theirs = stages.entries[stage].forEach
    switch (port.isList, theirs) {
    case (true, .some): return (.list(stage: stage, name: output.name), output.kind)
    case (false, nil): return (.output(stage: stage, name: output.name), output.kind)
    case (false, let theirs?) where theirs.text == entry.forEach?.text:
      return (.sibling(stage: stage, name: output.name), output.kind)
    case (true, nil):
      throw PipelineError(
        .wrongType, at: reference.location,
        "input '\(port.name)' takes the artifacts of a fanned-out stage; '\(stages.entries[stage].name)' runs once")
    case (false, .some):
      throw PipelineError(
        .wrongType, at: reference.location,
        "input '\(port.name)' takes one artifact, but '\(stages.entries[stage].name)' is fanned out; "
          + "give this stage the same 'for-each' to go element by element")
    }
  }

  private static func resolve(
    _ reference: PipelineDescription.Reference, among stages: WrittenStages
  ) throws -> (stage: Int, output: OutputPort) {
    let parts = reference.text.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
    guard parts.count == 2 else {
      throw PipelineError(
        .badReference, at: reference.location, "'\(reference.text)': expected 'stage.output'")
    }
    guard let stage = stages.places[parts[0]] else {
      let hint = Suggestion.text(for: parts[0], among: stages.entries.map(\.name))
      throw PipelineError(.unknownStage, at: reference.location, "no stage '\(parts[0])'\(hint)")
    }
    guard let output = stages.kinds[stage].outputs.first(where: { $0.name == parts[1] }) else {
      let hint = Suggestion.text(for: parts[1], among: stages.kinds[stage].outputs.map(\.name))
      throw PipelineError(
        .badReference, at: reference.location, "stage '\(parts[0])' has no output '\(parts[1])'\(hint)")
    }
    return (stage, output)
  }

  private static func splitSeed(_ with: LocatedValue, kind: StageKind) throws -> (UInt64?, LocatedValue) {
    guard var members = with.members, let i = members.firstIndex(where: { $0.name == "seed" }) else {
      return (nil, with)
    }
    let member = members.remove(at: i)
    guard kind.isRandom else {
      throw PipelineError(
        .unknownKey, at: member.nameLocation, "stage kind '\(kind.name)' draws no random numbers and takes no seed")
    }
    guard case .integer(let seed) = member.value.content, seed >= 0 else {
      throw PipelineError(
        .wrongType, at: member.value.location,
        "'seed': expected a whole number from 0, found \(member.value.kindDescription)")
    }
    return (UInt64(seed), LocatedValue(.object(members), at: with.location))
  }

  /// Stages with every dependency before its dependents; otherwise as in the file.
  private static func order(_ description: PipelineDescription, dependencies: [[Int]]) throws -> [Int] {
    var order = [Int]()
    var isDone = [Bool](repeating: false, count: dependencies.count)
    var isOnPath = isDone
    // Depth first, with a path of its own: a chain of stages may be longer than the thread's stack is deep.
    var path: [(stage: Int, next: Int)] = []
    for first in dependencies.indices where !isDone[first] {
      path.append((first, 0))
      isOnPath[first] = true
      while let (stage, next) = path.last {
        guard next < dependencies[stage].count else {
          path.removeLast()
          isOnPath[stage] = false
          isDone[stage] = true
          order.append(stage)
          continue
        }
        path[path.count - 1].next += 1
        let needed = dependencies[stage][next]
        if isDone[needed] { continue }
        if isOnPath[needed] {
          let start = path.firstIndex { $0.stage == needed }!
          let cycle = (path[start...].map(\.stage) + [needed]).map { description.stages[$0].name }
          throw PipelineError(
            .cycle, at: description.stages[needed].nameLocation,
            "stage '\(description.stages[needed].name)' needs itself: \(cycle.joined(separator: " needs "))")
        }
        path.append((needed, 0))
        isOnPath[needed] = true
      }
    }
    return order
  }
}
