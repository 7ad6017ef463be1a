import ArtifactStore
import Determinism
import PipelineModel

/// The state of a pipeline during a plan or a run: the known instances and artifacts.
///
/// It grows: a fanned-out stage gets its instances when the array it fans out over becomes known, and the rounds of a
/// loop get theirs one after the other. It executes nothing; a planner completes what is cached, a runner completes
/// what it ran.
package struct Graph {
  package struct Slot {
    package var instance: Instance?
    package var outputs: [String: Artifact]?
  }

  /// A stage in one round; outside of loops there is one.
  package struct RoundState {
    /// Nil while the number of instances is unknown.
    package var slots: [Slot]?
    /// Wanted slots without outputs.
    package var open = 0
    /// The array or tree, of a fanned-out stage.
    package var elements: [ElementValue] = []
    package var array: Artifact?

    package var isComplete: Bool { slots != nil && open == 0 }
  }

  package let pipeline: Pipeline
  package let selected: InstanceSelection
  /// Stages that matter, rising.
  package let wanted: [Int]
  /// By stage and round.
  package private(set) var states: [[RoundState]]
  /// Wanted rounds that are not complete, by stage.
  private var openRounds: [Int]
  let traits: [String: String]
  let observations: [Int: [String: Artifact]]
  /// Of commands, by stage.
  private(set) var tools: [ToolIdentity?]
  private let loadElements: (Artifact) throws -> [ElementValue]

  /// - Parameters:
  ///   - observations: what each source found; a source without an entry never completes.
  ///   - toolIdentity: the programs of a command; one without them never gets instances.
  ///   - loadElements: reads a `json` artifact that must be an array, or the manifest of a tree.
  init(
    pipeline: Pipeline, selected: InstanceSelection, traits: [String: String], observations: [Int: [String: Artifact]],
    toolIdentity: (Int) -> ToolIdentity?, loadElements: @escaping (Artifact) throws -> [ElementValue]
  ) {
    self.pipeline = pipeline
    self.selected = selected
    self.wanted = selected.stages
    self.traits = traits
    self.observations = observations
    self.loadElements = loadElements
    states = pipeline.stages.map { Array(repeating: RoundState(), count: $0.rounds) }
    tools = Array(repeating: nil, count: states.count)
    openRounds = selected.slots.map { rounds in rounds.count { $0 != .none } }
    for i in wanted where pipeline.stages[i].prepared.tools != nil { tools[i] = toolIdentity(i) }
    for i in wanted where pipeline.stages[i].forEach == nil {
      // Instances of a grid are known from the beginning.
      let count = pipeline.stages[i].grid?.elements.count ?? 1
      for round in states[i].indices {
        switch selected[i, round] {
        case .none: break
        case .all: states[i][round] = RoundState(slots: Array(repeating: Slot(), count: count), open: count)
        case .some(let slots):
          states[i][round] = RoundState(slots: Array(repeating: Slot(), count: count), open: slots.count)
        }
      }
    }
  }

  /// The instances that need nothing.
  package mutating func start() throws -> [Instance] {
    var found = [Instance]()
    for i in wanted where pipeline.stages[i].dependencies.isEmpty {
      for round in states[i].indices { attempt(i, round, into: &found) }
    }
    return found
  }

  /// Notes the outputs of an instance.
  /// - Returns: the instances that became known by it.
  package mutating func complete(_ instance: Instance, outputs: [String: Artifact]) throws -> [Instance] {
    var found = [Instance]()
    let (stage, round) = (instance.stage, instance.round)
    precondition(states[stage][round].slots?[instance.slot].outputs == nil, "\(instance.name) completed twice")
    states[stage][round].slots![instance.slot].outputs = outputs
    states[stage][round].open -= 1
    if pipeline.stages[stage].isFannedOut {
      for d in pipeline.stages[stage].dependents {
        let readers = readers(of: instance, in: d)
        for i in pipeline.roundsReading(stage, round, by: d) where states[d][i].slots != nil {
          switch readers {
          case .none: break
          case .some(let slots): for slot in slots { attempt(d, i, slot: slot, into: &found) }
          case .all: attempt(d, i, into: &found)
          }
        }
      }
    }
    if states[stage][round].isComplete { try roundCompleted(stage, round, into: &found) }
    return found
  }

  /// Which instances of a stage read this one without waiting for all its siblings.
  private func readers(of instance: Instance, in stage: Int) -> InstanceSelection.Slots {
    var found = InstanceSelection.Slots.none
    for binding in pipeline.stages[stage].inputs.values {
      switch binding {
      case .sibling(instance.stage, _): found = found.union(.some([instance.slot]))
      case .picked(instance.stage, let slots, _, _): if slots.contains(instance.slot) { found = .all }
      default: break
      }
    }
    return found
  }

  /// Completes the instances whose outputs are known, and what becomes known by that.
  /// - Parameters:
  ///   - outputs: those of an instance that need not be executed; nil where it must.
  ///   - failed: takes an instance whose outputs can't be told, or do not fit; the others go on.
  /// - Returns: the instances that must be executed, in the order in which they became known.
  package mutating func completeKnown<E: Error>(
    _ instances: [Instance], outputs: (Instance) throws -> [String: Artifact]?,
    failed: (Instance, any Error) throws(E) -> Void
  ) throws(E) -> [Instance] {
    var queue = instances
    var open = [Instance]()
    var next = 0
    while next < queue.count {
      let instance = queue[next]
      next += 1
      do {
        if let outputs = try outputs(instance) {
          queue += try complete(instance, outputs: outputs)
        } else {
          open.append(instance)
        }
      } catch {
        try failed(instance, error)
      }
    }
    return open
  }

  private mutating func roundCompleted(_ stage: Int, _ round: Int, into found: inout [Instance]) throws {
    openRounds[stage] -= 1
    let node = pipeline.stages[stage]
    for d in node.dependents {
      let reader = pipeline.stages[d]
      if node.loop != nil, reader.loop == node.loop {
        try visit(d, round, into: &found)
        // Readers of earlier rounds may have waited for this one alone.
        guard reader.inputs.values.contains(where: { $0.stage == stage && !$0.isForward }) else { continue }
        for later in round + 1..<max(round + 1, reader.rounds) {
          try visit(d, later, into: &found)
          if !states[stage][later].isComplete { break }
        }
      } else if openRounds[stage] == 0 {
        for i in 0..<reader.rounds { try visit(d, i, into: &found) }
      }
    }
  }

  /// Makes what can be made of a stage in one round.
  private mutating func visit(_ stage: Int, _ round: Int, into found: inout [Instance]) throws {
    if selected[stage, round] == .none { return }
    if states[stage][round].slots == nil, try expand(stage, round), states[stage][round].isComplete {
      // An empty array makes a round without instances: done as soon as it is known.
      try roundCompleted(stage, round, into: &found)
    }
    attempt(stage, round, into: &found)
  }

  /// - Returns: whether the number of instances became known.
  private mutating func expand(_ stage: Int, _ round: Int) throws -> Bool {
    let node = pipeline.stages[stage]
    guard let binding = node.forEach, let array = artifacts(binding, of: stage, round, slot: 0)?.first else {
      return false
    }
    do {
      states[stage][round].elements = try loadElements(array)
    } catch let error as PipelineError {
      throw PipelineError(error.code, "stage '\(node.name)': \(error.message)")
    }
    let count = states[stage][round].elements.count
    states[stage][round].array = array
    states[stage][round].slots = Array(repeating: Slot(), count: count)
    states[stage][round].open = count
    if case .some(let slots) = selected[stage, round] {
      if let missing = slots.filter({ $0 >= count }).min() {
        throw PipelineError(
          .badReference, at: SourceLocation(file: pipeline.file),
          "no '\(node.instanceName(round: round, slot: missing))': there are \(count) instances, numbered from 0")
      }
      states[stage][round].open = slots.count
    }
    return true
  }

  private mutating func attempt(_ stage: Int, _ round: Int, into found: inout [Instance]) {
    guard let count = states[stage][round].slots?.count else { return }
    for slot in 0..<count { attempt(stage, round, slot: slot, into: &found) }
  }

  /// Makes the instance of a slot if it is wanted, all its inputs are known and it was not made before.
  private mutating func attempt(_ stage: Int, _ round: Int, slot: Int, into found: inout [Instance]) {
    guard states[stage][round].slots![slot].instance == nil, selected[stage, round].contains(slot),
      let instance = instance(stage, round, slot: slot)
    else { return }
    states[stage][round].slots![slot].instance = instance
    found.append(instance)
  }

  /// Wanted slots of a stage, round by round; nil while it is not known how many there are.
  package func slots(of stage: Int) -> [Slot]? {
    var found = [Slot]()
    for (round, state) in states[stage].enumerated() where selected[stage, round] != .none {
      guard let slots = state.slots else { return nil }
      found +=
        selected[stage, round] == .all ? slots : slots.indices.filter(selected[stage, round].contains).map { slots[$0] }
    }
    return found
  }

  /// Instances of a stage that are known.
  package func instances(of stage: Int) -> [Slot] {
    states[stage].flatMap { ($0.slots ?? []).filter { $0.instance != nil } }
  }

  /// Names of the stages whose results a stage waits for.
  func waitsFor(_ stage: Int) -> [String] {
    pipeline.stages[stage].dependencies.filter { openRounds[$0] > 0 }.map { pipeline.stages[$0].name }
  }

  package var isComplete: Bool { wanted.allSatisfy(isComplete) }
  package func isComplete(_ stage: Int) -> Bool { openRounds[stage] == 0 }
}
