import ArtifactStore
import Determinism
import PipelineModel

/// Finds the runs to compare, in one store or several.
public struct ComparedRuns {
  private let stores: [Store]

  public init(stores: [Store]) throws {
    self.stores = stores
    // What is known of results without reading their records.
    for store in stores { try store.completeIndex() }
  }

  /// Runs by their IDs, names or tags, each in the first store that has it.
  /// - Throws: code `unknownID`.
  package func named(_ references: [String]) throws -> [MeasuredRun] {
    try references.map { reference in
      var failure: (any Error)?
      for store in stores {
        do {
          return MeasuredRun(try RunHistory(store: store).run(reference), in: store)
        } catch {
          failure = failure ?? error
        }
      }
      throw failure ?? PipelineError(.missingStore, "no store is named")
    }
  }

  /// The finished runs of a pipeline, the oldest first. Of those with equal stages and keys there is one: the newest that
  /// has a name, else the newest.
  package func ofPipeline(_ name: String) throws -> [MeasuredRun] {
    var found = [[String: Digest]: MeasuredRun]()
    for store in stores {
      for run in try RunHistory(store: store).newest(.max, pipeline: name) where run.end == .finished {
        let measured = MeasuredRun(run, in: store)
        if let known = found[measured.keys], known.run.details?.name != nil || run.details?.name == nil { continue }
        found[measured.keys] = measured
      }
    }
    return found.values.sorted { ($0.run.started, $0.run.id) < ($1.run.started, $1.run.id) }
  }

  /// Whether a store has a run of this pipeline.
  public func knowsPipeline(_ name: String) throws -> Bool {
    for store in stores { if try !RunHistory(store: store).newest(1, pipeline: name).isEmpty { return true } }
    return false
  }

  /// Compares runs by their IDs, names or tags.
  public func compare(_ references: [String]) throws -> RunComparison {
    try RunComparison.ofRuns(named(references))
  }

  /// Compares the runs of a pipeline.
  /// - Parameter name: a parameter that rows will be grouped by: where elements of fanned-out stages have it, they are the
  ///   rows.
  public func compare(pipeline: String, by name: String? = nil) throws -> RunComparison {
    let runs = try ofPipeline(pipeline)
    guard !runs.isEmpty else {
      let known = try Set(stores.flatMap { try RunHistory(store: $0).newest(1000).map(\.pipeline) })
      throw PipelineError(
        .unknownID,
        "no finished run of a pipeline '\(pipeline.clipped(to: 100))' in \(stores.map(\.path).joined(separator: ", "))"
          + Suggestion.text(for: pipeline, among: Array(known)))
    }
    let rows = try RunComparison.ofRuns(runs)
    // Where runs have that parameter with one value alone, elements may have it as well.
    guard let name, Set(rows.rows.map { $0.parameters[name] }).count <= 1 else { return rows }
    let elements = try RunComparison.ofElements(runs, rows)
    return elements.rows.contains { $0.parameters[name] != rows.rows[0].parameters[name] } ? elements : rows
  }
}
