import Determinism
import Foundation
import PipelineModel

/// The journals of a store.
public struct RunHistory {
  package let store: Store

  public init(store: Store) { self.store = store }

  /// IDs of all runs, oldest first.
  public func ids() throws -> [String] {
    // They begin with the time at which the run began.
    try Files.list(store.path + "/runs")
  }

  /// - Parameter id: a run's ID, its first letters or its last part; or a name or tag, which means the newest with it.
  /// - Throws: code `unknownID`.
  public func run(_ id: String) throws -> RunSummary {
    let all = try ids()
    var found = all.contains(id) ? [id] : all.filter { $0.hasPrefix(id) || $0.hasSuffix("-" + id) }
    if found.isEmpty, let labelled = try all.last(where: { try isLabelled($0, id) }) { found = [labelled] }
    guard found.count == 1 else {
      let what = found.isEmpty ? "no run '\(id)' in \(store.path)" : "'\(id)' begins several runs"
      let names = (found.isEmpty ? all : found).suffix(5).joined(separator: ", ")
      throw PipelineError(.unknownID, what + (names.isEmpty ? "" : "; there are: \(names)"))
    }
    return try read(found[0])
  }

  /// Runs, the newest first.
  /// - Parameters:
  ///   - limit: how many at most.
  ///   - pipeline: whose runs; nil means any.
  ///   - tag: that they have.
  public func newest(_ limit: Int, pipeline: String? = nil, tag: String? = nil) throws -> [RunSummary] {
    var runs = [RunSummary]()
    for id in try ids().reversed() {
      if runs.count == limit { break }
      if let pipeline, try beginning(of: id)?.pipeline.hasSameBytes(as: pipeline) != true { continue }
      if let tag, try !tags(of: id).contains(where: { $0.hasSameBytes(as: tag) }) { continue }
      runs.append(try read(id))
    }
    return runs
  }

  private func isLabelled(_ id: String, _ label: String) throws -> Bool {
    if try tags(of: id).contains(where: { $0.hasSameBytes(as: label) }) { return true }
    return try beginning(of: id)?.details?.name?.hasSameBytes(as: label) ?? false
  }

  /// What the first line of a journal says, which is read alone; nil where there is none.
  package func beginning(of id: String) throws -> (pipeline: String, details: RunDetails?)? {
    let path = "\(store.path)/runs/\(id)/journal.jsonl"
    guard Files.exists(path), let line = try Files.head(of: path, bytes: 1 << 16).split(separator: 0x0A).first,
      let event = try? CanonicalValue(json: Array(line)), event["event"]?.stringValue == "run-started"
    else { return nil }
    return (event["pipeline"]?.stringValue ?? "", event["details"].map(RunDetails.init(canonical:)))
  }

  /// The newest run of a pipeline: what it was asked for, and the root that it ended with.
  package func last(of pipeline: String) throws -> (details: RunDetails?, root: Digest?)? {
    for id in try ids().reversed() {
      guard let begin = try beginning(of: id), begin.pipeline.hasSameBytes(as: pipeline) else { continue }
      let end = try Files.tail(of: "\(store.path)/runs/\(id)/journal.jsonl", bytes: 4096).split(separator: 0x0A).last
      let event = end.flatMap { try? CanonicalValue(json: Array($0)) }
      return (begin.details, event?["root"]?.stringValue.flatMap(Digest.init(hex:)))
    }
    return nil
  }

  /// Reads a journal; lines that a crash tore are left out.
  package func read(_ id: String) throws -> RunSummary {
    var run = RunSummary(id: id)
    run.tags = try tags(of: id)
    let path = "\(store.path)/runs/\(id)/journal.jsonl"
    guard Files.exists(path) else { return run }
    var places = Places()
    for line in try Files.read(path).split(separator: 0x0A) {
      guard let event = try? CanonicalValue(json: Array(line)), let name = event["event"]?.stringValue else { continue }
      apply(name, event, to: &run, &places)
    }
    return run
  }

  /// Where the steps of a run are in its list.
  private struct Places {
    var byExecution: [Execution: Int] = [:]
    /// The last of each name.
    var byStage: [String: Int] = [:]

    /// Instances of equal keys are one execution, but several stages.
    struct Execution: Hashable {
      let stage: String
      let key: Digest
    }
  }

  private func apply(
    _ name: String, _ event: CanonicalValue, to run: inout RunSummary, _ places: inout Places
  ) {
    let time = event["time"]?.stringValue ?? ""
    switch name {
    case "run-started":
      run.pipeline = event["pipeline"]?.stringValue ?? ""
      run.started = time
      run.details = event["details"].map(RunDetails.init(canonical:))
    case "run-finished":
      run.root = event["root"]?.stringValue.flatMap(Digest.init(hex:))
      run.seconds = event["seconds"]?.numberValue
      let states = Set(run.steps.map(\.state))
      run.end =
        states.contains(.failed)
        ? .failed
        : event["interrupted"]?.boolValue == true || states.contains(.interrupted) || states.contains(.running)
          || states.contains(.submitted)
          ? .interrupted : .finished
    case "cached", "started", "finished", "failed", "waiting", "submitted":
      guard let stage = event["stage"]?.stringValue, let key = event["key"]?.stringValue.flatMap(Digest.init(hex:))
      else { return }
      let execution = Places.Execution(stage: stage, key: key)
      let place = places.byExecution[execution] ?? run.steps.count
      if place == run.steps.count {
        run.steps.append(RunSummary.Step(stage: stage, key: key, state: .running, started: time))
        places.byExecution[execution] = place
        places.byStage[stage] = place
      }
      switch name {
      case "cached": run.steps[place].state = .cached
      case "started": run.steps[place].state = .running
      case "submitted":
        run.steps[place].state = .submitted
        run.steps[place].log = event["log"]?.stringValue
      case "finished":
        run.steps[place].state = .executed
        run.steps[place].seconds = event["seconds"]?.numberValue
        run.steps[place].outputs = (event["outputs"]?.objectValue ?? [:]).compactMapValues(Artifact.init(canonical:))
      case "failed":
        run.steps[place].state = .failed
        run.steps[place].message = event["message"]?.stringValue
      default: break
      }
    case "queued":
      guard let stage = event["stage"]?.stringValue, let i = places.byStage[stage] else { return }
      run.steps[i].job = event["job"]?.stringValue
    case "interrupted":
      guard let stage = event["stage"]?.stringValue, let i = places.byStage[stage] else { return }
      run.steps[i].state = .interrupted
    default: break
    }
  }
}
