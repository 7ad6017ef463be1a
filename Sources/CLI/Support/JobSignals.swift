import Foundation
import Pipelines
import Synchronization

/// Signals as a cluster sends them. The first asks the stage to save its state; later ones change nothing, since steps
/// of a job get SIGTERM twice within a tenth of a second.
enum JobSignals {
  static let interruption = Interruption()
  private static let isWarned = Atomic<Bool>(false)

  /// Whether the end of the job's time was announced, so that it should go on in another job.
  static var wantsRequeue: Bool { isWarned.load(ordering: .acquiring) }

  static func install() {
    // The handlers must not be the first to touch them.
    _ = interruption.isRequested
    _ = wantsRequeue
    signal(SIGUSR1) { _ in
      JobSignals.isWarned.store(true, ordering: .releasing)
      JobSignals.interruption.request()
    }
    for number in [SIGINT, SIGTERM, SIGHUP] {
      signal(number) { _ in JobSignals.interruption.request() }
    }
  }
}
