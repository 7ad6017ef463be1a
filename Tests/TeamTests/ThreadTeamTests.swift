import PipelineRunner
import Testing

/// What a team computes has the bits of one process, whatever its size.
@Suite("The experiment on teams of threads", .serialized)
struct ThreadTeamTests {
  private static func root(_ period: String, members: Int?) throws -> String? {
    let experiment = try Experiment(period: period)
    let result = try experiment.run(on: members.map { members in { ThreadExecutor(store: $0, members: members) } })
    for failure in result.failures { Issue.record("\(failure)") }
    return result.root?.hex
  }

  @Test(
    "trainings, evaluations and predictions give the artifacts of one process",
    arguments: [("window", [2, 3, 4]), ("per-layer", [2, 4])])
  func sameRoot(_ period: String, _ sizes: [Int]) throws {
    let expected = try #require(try ThreadTeamTests.root(period, members: nil))
    for size in sizes { #expect(try ThreadTeamTests.root(period, members: size) == expected, "\(size) members") }
  }
}
