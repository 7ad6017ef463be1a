import Determinism

extension Pipeline {
  /// What is wrong with single stages of a description, apart from how they are connected: the first mistake of each.
  package static func mistakes(ofStages description: PipelineDescription, registry: StageRegistry) -> [PipelineError] {
    let results = Parallel.map(description.stages.count) { i -> PipelineError? in
      let entry = description.stages[i]
      do {
        for slot in 0..<max(1, entry.grid?.with.count ?? 1) { try check(entry.instance(slot), registry) }
        return nil
      } catch {
        return error as? PipelineError
          ?? PipelineError(.badValue, at: entry.nameLocation, String(describing: error))
      }
    }
    return results.compactMap(\.self)
  }

  private static func check(_ entry: PipelineDescription.StageEntry, _ registry: StageRegistry) throws {
    let kind = try kind(of: entry, in: registry)
    // Of a kind that takes anything, all else depends on what it is given.
    if kind.complete == nil { _ = try kind.prepare(splitSeed(entry.with, kind: kind).1) }
  }
}
