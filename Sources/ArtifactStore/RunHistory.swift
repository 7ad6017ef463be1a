import Determinism
import Foundation
import PipelineModel

/// The journals of a store.
public struct RunHistory {
  package let store: Store

  public init(store: Store) { self.store = store }

  /// Names of all runs, oldest first.
  public func ids() throws -> [String] {
    // Names begin with the time at which the run began.
    try Files.list(store.path + "/runs")
  }

  /// - Parameter id: a run's name or its first letters.
  /// - Throws: code `unknownID`.
  public func run(_ id: String) throws -> RunSummary {
    let all = try ids()
    let found = all.contains(id) ? [id] : all.filter { $0.hasPrefix(id) || $0.hasSuffix("-" + id) }
    guard found.count == 1 else {
      let what = found.isEmpty ? "no run '\(id)' in \(store.path)" : "'\(id)' begins several runs"
      let names = (found.isEmpty ? all : found).suffix(5).joined(separator: ", ")
      throw PipelineError(.unknownID, what + (names.isEmpty ? "" : "; there are: \(names)"))
    }
    return try read(found[0])
  }

  /// Reads a journal; lines that a crash tore are left out.
  package func read(_ id: String) throws -> RunSummary {
    var run = RunSummary(id: id)
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
    var byKey: [Digest: Int] = [:]
    /// The last of each name.
    var byStage: [String: Int] = [:]
  }

  private func apply(
    _ name: String, _ event: CanonicalValue, to run: inout RunSummary, _ places: inout Places
  ) {
    let time = event["time"]?.stringValue ?? ""
    switch name {
    case "run-started":
      run.pipeline = event["pipeline"]?.stringValue ?? ""
      run.started = time
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
      // Instances of equal keys are one execution, but several stages.
      let place = places.byKey[key].flatMap { run.steps[$0].stage == stage ? $0 : nil } ?? run.steps.count
      if place == run.steps.count {
        run.steps.append(RunSummary.Step(stage: stage, key: key, state: .running, started: time))
        places.byKey[key] = place
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
