import Determinism

extension Pipeline {
  /// Checks a description against the kinds there are.
  /// - Throws: `PipelineError` with the place of the first mistake and, where one is near, a suggestion.
  public init(_ given: PipelineDescription, registry: StageRegistry) throws {
    let description = try given.withFileStages()
    let kinds = try description.stages.map { try Pipeline.kind(of: $0.instance(0), in: registry) }
    let resolver = try PipelineLinks(description, kinds: kinds)
    let links = try description.stages.indices.map { try resolver.links(of: $0) }
    let order = try Pipeline.order(description, dependencies: links.map(\.dependencies))
    var places = [Int](repeating: 0, count: order.count)
    for (new, old) in order.enumerated() { places[old] = new }
    let prepared = Parallel.map(order.count) { i in
      Result<StageNode, any Error> {
        let old = order[i]
        let entry = description.stages[old]
        var kind = kinds[old]
        kind.inputs = links[old].ports
        let first = try Pipeline.prepare(entry.instance(0), kind: kind, seed: description.seed)
        return StageNode(
          name: entry.name, kind: kind, prepared: first.prepared, seed: first.seed,
          inputs: links[old].inputs.mapValues { $0.renumbered(places) },
          forEach: links[old].forEach.map { $0.renumbered(places) }, grid: entry.grid,
          variants: try Pipeline.variants(of: entry, kind: kind, first: first, seed: description.seed, in: registry),
          loop: resolver.scopes[old].loop, resources: entry.resources, environment: entry.environment,
          rules: entry.rules,
          dependencies: links[old].dependencies.map { places[$0] }.sorted())
      }
    }
    var stages = try prepared.map { try $0.get() }
    for i in stages.indices {
      for d in Set(stages[i].bindings.compactMap(\.stage)) { stages[d].dependents.append(i) }
    }
    self.name = description.name
    self.file = description.file
    self.stages = stages
  }

  private static func prepare(
    _ entry: PipelineDescription.StageEntry, kind: StageKind, seed: UInt64
  ) throws -> StageNode.Variant {
    let (own, with) = try Pipeline.splitSeed(entry.with, kind: kind)
    return StageNode.Variant(prepared: try kind.complete?(kind.inputs) ?? kind.prepare(with), seed: own ?? seed)
  }

  /// Those of a grid; none where all its instances are the same.
  private static func variants(
    of entry: PipelineDescription.StageEntry, kind: StageKind, first: StageNode.Variant, seed: UInt64,
    in registry: StageRegistry
  ) throws -> [StageNode.Variant] {
    guard let grid = entry.grid, registry.kinds[entry.uses]?.specialize != nil || grid.with.count > 1 else { return [] }
    let others = Parallel.map(grid.elements.count - 1) { i in
      Result<StageNode.Variant, any Error> {
        if let vary = kind.vary, grid.with.count == 1 {
          let prepared = try StageKind.locatingErrors(in: grid.with[0]) {
            try vary(grid.elements[i + 1], first.prepared)
          }
          return StageNode.Variant(prepared: prepared, seed: first.seed)
        }
        let entry = entry.instance(i + 1)
        var own = try Pipeline.kind(of: entry, in: registry)
        guard own.outputs == kind.outputs, own.isRandom == kind.isRandom else {
          throw PipelineError(
            .badValue, at: entry.nameLocation,
            "stage '\(entry.name)': the outputs, and whether it is random, must be the same for all elements")
        }
        own.inputs = kind.inputs
        let variant = try prepare(entry, kind: own, seed: seed)
        if let tools = first.prepared.tools, variant.prepared.tools.map(tools.isSameRequirement) != true {
          throw PipelineError(
            .badValue, at: entry.nameLocation,
            "stage '\(entry.name)': all its instances must start the same programs; make it several stages")
        }
        return variant
      }
    }
    return [first] + (try others.map { try $0.get() })
  }

  static func kind(
    of entry: PipelineDescription.StageEntry, in registry: StageRegistry
  ) throws -> StageKind {
    if let name = registry.formerKindNames[entry.uses] {
      throw PipelineError(
        .unknownKind, at: entry.usesLocation, "stage kind '\(entry.uses)' is now called '\(name)'")
    }
    guard let kind = registry.kinds[entry.uses] else {
      let hint = Suggestion.text(for: entry.uses, among: Array(registry.kinds.keys))
      throw PipelineError(.unknownKind, at: entry.usesLocation, "unknown stage kind '\(entry.uses)'\(hint)")
    }
    return try kind.specialize?(entry, registry) ?? kind
  }

  static func splitSeed(_ with: LocatedValue, kind: StageKind) throws -> (UInt64?, LocatedValue) {
    guard var members = with.members, let i = members.firstIndex(where: { $0.name == "seed" }) else {
      return (nil, with)
    }
    let member = members.remove(at: i)
    guard kind.isRandom else {
      throw PipelineError(
        .unknownKey, at: member.nameLocation, "stage kind '\(kind.name)' uses no random numbers and takes no seed")
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
            "stage '\(description.stages[needed].name)' depends on itself: \(cycle.joined(separator: " needs "))")
        }
        path.append((needed, 0))
        isOnPath[needed] = true
      }
    }
    return order
  }
}
