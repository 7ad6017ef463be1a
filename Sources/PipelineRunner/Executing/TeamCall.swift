import ArtifactStore
import Determinism
import Foundation
import PipelineModel

/// How the leader of a team calls the others to an order: only once it is known that the order must be executed, and
/// that its stage is one for several processes.
package final class TeamCall {
  let team: any Team
  private let key: Digest
  /// Whether the others were called and now take part.
  private(set) var isMade = false

  init(_ team: any Team, key: Digest) {
    self.team = team
    self.key = key
  }

  /// Calls the others to execute the order.
  func make() throws {
    isMade = true
    _ = try team.broadcast(key.bytes + ProgramIdentity.digest.bytes)
  }

  /// Tells the others that there will be no more calls.
  static func end(_ team: any Team) throws { _ = try team.broadcast([]) }

  /// Waits for the leader's next call.
  /// - Returns: the key of the order; nil where there are no more.
  /// - Throws: where the leader runs another program.
  static func next(from team: any Team) throws -> Digest? {
    let word = try team.broadcast([])
    if word.isEmpty { return nil }
    guard word.dropFirst(32).elementsEqual(ProgramIdentity.digest.bytes) else {
      throw PipelineError(
        .notRestorable, "this is another build of the program than the team's leader runs; use one file for all")
    }
    return Digest(bytes: Array(word.prefix(32)))
  }
}

extension Team {
  /// Tells all others that this member cannot go on.
  public func fail(with error: any Error) { fail(TeamFailure(error, in: self)) }
}

extension TeamFailure {
  static let interrupted = "interrupted"

  /// What an error of this member looks like from the others; a failure that it was told of stays as it is.
  init(_ error: any Error, in team: any Team) {
    if let failure = error as? TeamFailure {
      self = failure
      return
    }
    self.init(
      rank: team.rank, size: team.size, host: ProcessInfo.processInfo.hostName, reason: "\(error)",
      code: error is StageInterrupted ? TeamFailure.interrupted : (error as? PipelineError)?.code.description ?? "",
      isUserData: (error as? any DiagnosableError)?.isUserData ?? false)
  }
}
