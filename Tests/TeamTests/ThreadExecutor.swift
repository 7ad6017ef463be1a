import ArtifactStore
import Determinism
import PipelineModel
import PipelineRunner
import Stages
import ThreadTeams

/// Executes each order by a team of threads, each of which opens the store itself.
struct ThreadExecutor: Executor {
  let capacity = 1
  let store: String
  let members: Int
  let registry: StageRegistry
  private let interruptions: [Interruption]

  init(store: String, members: Int, registry: StageRegistry = Stages.registry()) {
    self.store = store
    self.members = members
    self.registry = registry
    interruptions = (0..<members).map { _ in Interruption() }
  }

  func submit(_ order: WorkOrder, report: @escaping @Sendable (WorkEvent) -> Void) throws {
    try startThread(named: order.stage, stackBytes: deepStackBytes) { [store, members, registry, interruptions] in
      let ends = ThreadTeam.run(members) { team in
        let worker = Worker(
          store: try Store(path: store, registry: registry), interruption: interruptions[team.rank], team: team)
        defer { worker.store.endScratch() }
        guard team.isLeader else { return try worker.assist([order]) }
        worker.run(order, report: report)
        worker.dismissTeam()
      }
      if case .failure(let error) = ends[0] { report(.ended(.failure(error))) }
    }
  }

  func cancel() { for interruption in interruptions { interruption.request() } }
}
