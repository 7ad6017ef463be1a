import Determinism
import Pipelines

/// The stages of a pipeline with what can be told of them before it runs.
struct PipelineSites {
  struct Place {
    let summary: StageSummary
    let site: EstimationSite
    /// Of the stage and those before it. Nil of a kind that says nothing.
    let subject: (any WorkEstimating)?
  }

  let places: [Place]

  /// - Parameter threads: of the machine that it is to run on.
  /// - Throws: what stages throw whose parameters describe something that can't be estimated.
  init(_ stages: [StageSummary], threads: Int, machine: MachineMeasures) throws {
    var facts: [String: StageFacts] = [:]
    var places = [Place]()
    for summary in stages {
      let site = EstimationSite(
        stage: summary.name, instances: PipelineSites.instances(of: summary, facts),
        facts: summary.inputs.compactMapValues { facts[$0.stage] }, threads: threads, machine: machine)
      let subject = summary.subject as? any WorkEstimating
      var found = try subject?.facts(at: site) ?? StageFacts()
      found.data = found.data ?? site.facts(of: "data").data ?? site.facts(of: "source").data
      facts[summary.name] = found
      places.append(Place(summary: summary, site: site, subject: subject))
    }
    self.places = places
  }

  private static func instances(of stage: StageSummary, _ facts: [String: StageFacts]) -> Int? {
    guard let array = stage.forEach else { return (stage.elements ?? 1).multipliedSaturated(by: stage.rounds) }
    return facts[array.stage]?.elements.map { $0.multipliedSaturated(by: stage.rounds) }
  }
}

extension PipelineSites {
  /// Bytes that an instance of a stage takes, about, by the name of the stage: what a runner admits by.
  static func claimedMemory(_ stages: [StageSummary], threads: Int) -> [String: Int] {
    // Whoever plans learns what is wrong with a stage when it runs.
    guard let sites = try? PipelineSites(stages, threads: threads, machine: MachineMeasures()) else { return [:] }
    let claims = sites.places.compactMap { place in
      place.subject?.claimedMemory(at: place.site).map { (place.summary.name, $0) }
    }
    return Dictionary(claims, uniquingKeysWith: { a, _ in a })
  }
}
