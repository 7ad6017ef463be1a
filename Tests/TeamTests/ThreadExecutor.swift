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
  private let interruption = Interruption()

  init(store: String, members: Int) {
    self.store = store
    self.members = members
  }

  func submit(_ order: WorkOrder, report: @escaping @Sendable (WorkEvent) -> Void) throws {
    try startThread(named: order.stage, stackBytes: deepStackBytes) { [store, members, interruption] in
      let ends = ThreadTeam.run(members) { team in
        let worker = Worker(
          store: try Store(path: store, registry: Stages.registry()), interruption: interruption, team: team)
        defer { worker.store.endScratch() }
        guard team.isLeader else { return try worker.assist([order]) }
        worker.run(order, report: report)
        worker.dismissTeam()
      }
      if case .failure(let error) = ends[0] { report(.ended(.failure(error))) }
    }
  }

  func cancel() { interruption.request() }
}
