import CMPI
import Determinism
import Foundation

/// A team of processes that MPI connects. One thread makes all calls of MPI, which is loaded when it is needed; without
/// other processes it is not needed.
public final class MPITeam: Team {
  public let rank: Int
  public let size: Int
  private let engine: MPIEngine

  /// Joins the team that this process was started in.
  ///
  /// - Parameters:
  ///   - environment: `AUTOPANOPTIC_MPI` names the library; `AUTOPANOPTIC_SILENCE` is the time in seconds after which a
  ///     member that nothing is heard of counts as lost, 120 by default.
  ///   - lost: called with a sentence before all processes are ended, since a member is lost.
  /// - Returns: nil where it is alone.
  /// - Throws: `MessagePassingError` where there are others that it can't reach.
  public static func join(
    _ environment: [String: String], lost: @escaping @Sendable (String) -> Void
  ) throws -> MPITeam? {
    let launch = Launch(environment)
    guard try launch.needsMPI else { return nil }
    let silence = environment["AUTOPANOPTIC_SILENCE"].flatMap { Double($0) }.flatMap { $0 > 0 ? $0 : nil } ?? 120
    let engine = MPIEngine(silence: silence, lost: lost)
    try engine.start(libraries: environment["AUTOPANOPTIC_MPI"].map { [$0] } ?? launch.libraries)
    if let size = launch.size, size != engine.size {
      throw MessagePassingError(
        "\(size) processes were started, but MPI sees \(engine.size): its library is not of the launcher's kind. "
          + "AUTOPANOPTIC_MPI=/path/to/libmpi.so names another")
    }
    return engine.size > 1 ? MPITeam(engine) : nil
  }

  private init(_ engine: MPIEngine) {
    self.engine = engine
    (rank, size) = (engine.rank, engine.size)
  }

  public func start(sends: [TeamMessage], receipts: [TeamMessage]) -> any TeamTransfer {
    engine.start(sends: sends, receipts: receipts)
  }

  public func fail(_ failure: TeamFailure) { engine.fail(failure) }

  public var failure: TeamFailure? { engine.knownFailure }

  /// Calls `body` on the thread that makes all calls of MPI, for measurements of other calls.
  package func performOnThread(_ body: @escaping @Sendable () -> Void) { engine.perform(body) }

  /// Leaves the team: all members must have ended their work. Of a team that failed, members wait until the leader is
  /// here, since launchers end everybody once one process has ended badly.
  public func leave() {
    if (try? meet()) == nil { engine.awaitLeader() }
    engine.finish()
  }
}
