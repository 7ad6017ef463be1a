import Determinism

/// How often each stage of a description runs: once, once per round of a loop, or once per element of an array.
struct PipelineScopes {
  struct Scope: Equatable {
    package var loop: Pipeline.Loop?
    /// The text of `for-each`, or the identity of a grid.
    package var array: String?
  }

  private(set) var scopes: [Scope]

  /// - Parameter indices: of the stages by their names.
  init(_ description: PipelineDescription, indices: [String: Int]) throws {
    scopes = description.stages.map { Scope(loop: nil, array: $0.grid?.id ?? $0.forEach?.text) }
    var isDone = scopes.map { _ in false }
    for start in scopes.indices {
      // A stage is in the loop of the array that it is fanned out over, so those arrays are looked at first.
      var path = [start]
      while !isDone[path.last!], let next = PipelineScopes.owner(of: path.last!, description, indices),
        !isDone[next], !path.contains(next)
      { path.append(next) }
      for i in path.reversed() where !isDone[i] {
        let inherited = PipelineScopes.owner(of: i, description, indices).flatMap { isDone[$0] ? scopes[$0].loop : nil }
        scopes[i].loop = try PipelineScopes.loop(of: description.stages[i], inherited, description, indices)
        isDone[i] = true
      }
    }
  }

  /// The stage whose array another one is fanned out over.
  private static func owner(of i: Int, _ description: PipelineDescription, _ indices: [String: Int]) -> Int? {
    description.stages[i].forEach.flatMap { indices[$0.text.splitBytes(at: UInt8(ascii: "."))[0]] }
  }

  private static func loop(
    of entry: PipelineDescription.StageEntry, _ inherited: Pipeline.Loop?, _ description: PipelineDescription,
    _ indices: [String: Int]
  ) throws -> Pipeline.Loop? {
    guard let repetition = entry.repetition else { return inherited }
    let own: Pipeline.Loop
    switch repetition.count {
    case .rounds(let n): own = Pipeline.Loop(name: entry.name, rounds: n)
    case .with(let name):
      guard let i = indices[name] else {
        let hint = Suggestion.text(for: name, among: Array(indices.keys))
        throw PipelineError(.unknownStage, at: repetition.location, "no stage '\(name)'\(hint)")
      }
      guard case .rounds(let n)? = description.stages[i].repetition?.count else {
        throw PipelineError(
          .badReference, at: repetition.location,
          "'\(name)' does not define a loop: it has no 'repeat' with a number of rounds")
      }
      own = Pipeline.Loop(name: name, rounds: n)
    }
    if let inherited, inherited != own {
      throw PipelineError(
        .badReference, at: repetition.location,
        "the array under 'for-each' is made in the rounds of '\(inherited.name)': a stage can't be in two loops")
    }
    return own
  }
}
