import PipelineModel

/// Which instances of a pipeline are wanted: the selected ones with all that they need, and nothing else.
package struct InstanceSelection {
  enum Slots: Equatable {
    case none
    case some(Set<Int>)
    case all

    package func contains(_ slot: Int) -> Bool {
      switch self {
      case .none: false
      case .some(let slots): slots.contains(slot)
      case .all: true
      }
    }

    /// - Returns: what is added to these; `none` where nothing is.
    package func missing(_ other: Slots) -> Slots {
      switch (self, other) {
      case (.all, _), (_, .none): return .none
      case (.none, _), (_, .all): return other
      case (.some(let mine), .some(let theirs)):
        let rest = theirs.subtracting(mine)
        return rest.isEmpty ? .none : .some(rest)
      }
    }

    package func union(_ other: Slots) -> Slots {
      switch (self, other) {
      case (.all, _), (_, .all): .all
      case (.none, let x), (let x, .none): x
      case (.some(let a), .some(let b)): .some(a.union(b))
      }
    }
  }

  /// By stage and round.
  private(set) var slots: [[Slots]]

  subscript(stage: Int, round: Int) -> Slots { slots[stage][round] }

  /// Stages of which at least one instance is wanted, rising.
  package var stages: [Int] { slots.indices.filter { slots[$0].contains { $0 != .none } } }

  /// - Parameter names: stages and instances such as `judge[3]` and `train[seed=2]`; none means all.
  /// - Throws: for a name that no stage has.
  package init(_ names: [String], in pipeline: Pipeline) throws {
    guard !names.isEmpty else {
      slots = pipeline.stages.map { Array(repeating: .all, count: $0.rounds) }
      return
    }
    slots = pipeline.stages.map { Array(repeating: .none, count: $0.rounds) }
    var open = [(stage: Int, round: Int, slots: Slots)]()
    func want(_ stage: Int, _ rounds: Range<Int>, _ slots: Slots) {
      for round in rounds { open.append((stage, round, slots)) }
    }
    for name in names {
      let selection = try pipeline.selection(name)
      want(
        selection.stage, selection.round.map { $0..<$0 + 1 } ?? 0..<pipeline.stages[selection.stage].rounds,
        selection.slots.map { .some($0) } ?? .all)
    }
    while let next = open.popLast() {
      let (stage, round) = (next.stage, next.round)
      let added = slots[stage][round].missing(next.slots)
      if added == .none { continue }
      slots[stage][round] = slots[stage][round].union(added)
      let node = pipeline.stages[stage]
      for binding in node.bindings {
        guard let source = binding.stage else { continue }
        switch binding {
        case .output, .list: want(source, pipeline.roundsRead(of: source, by: stage, round), .all)
        case .picked(_, let slots, _, _):
          want(source, pipeline.roundsRead(of: source, by: stage, round), .some(Set(slots)))
        case .sibling: want(source, pipeline.roundsRead(of: source, by: stage, round), added)
        case .earlier: want(source, 0..<round, .all)
        case .previous: want(source, max(0, round - 1)..<round, .all)
        case .element: break
        }
      }
    }
  }
}
