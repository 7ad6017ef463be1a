import ArtifactStore
import Determinism
import PipelineModel

/// How the leader of a team calls the others to an order. They wait for its word for every order: it may find the result
/// in the store, or the stage may be one for the leader alone.
package final class TeamCall {
  package let team: any Team
  private let key: Digest
  /// Whether the others were called and now take part.
  package private(set) var isMade = false

  package init(_ team: any Team, key: Digest) {
    self.team = team
    self.key = key
  }

  /// Calls the others to execute the order.
  func make() throws {
    isMade = true
    _ = try team.broadcast(key.bytes + ProgramIdentity.digest.bytes)
  }

  /// Sends the others on to the next order, unless they were called to this one.
  func dismiss() throws { if !isMade { _ = try team.broadcast([]) } }

  /// Waits for the leader's word.
  /// - Returns: whether it calls to the order.
  /// - Throws: where the leader has another order or another program.
  static func arrives(from team: any Team, key: Digest) throws -> Bool {
    let word = try team.broadcast([])
    if word.isEmpty { return false }
    guard word.prefix(32).elementsEqual(key.bytes) else {
      throw PipelineError(.notRestorable, "the team's leader executes another order: \(key.short) was given here")
    }
    guard word.dropFirst(32).elementsEqual(ProgramIdentity.digest.bytes) else {
      throw PipelineError(
        .notRestorable, "this is another build of the program than the team's leader runs; use one file for all")
    }
    return true
  }
}
