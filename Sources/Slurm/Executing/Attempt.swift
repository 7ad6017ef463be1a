import Determinism
import PipelineModel

/// What the runner makes of one order in a wave, from what the worker and the cluster say.
///
/// The record in the store is the truth. A letter announces it, or a failure of the stage. The queue only says whether to
/// go on waiting; what is not in it is not taken for done.
package struct Attempt: Sendable {
  package enum Verdict: Equatable, Sendable {
    case wait
    /// The letter says that there is a record.
    case recorded
    case compared(CanonicalValue)
    case failed(message: String, isUserData: Bool)
    /// Somebody cancelled the job.
    case cancelled
    /// Nobody executes the order any more, for a reason that is not its stage's.
    case lost(String, mayLackMemory: Bool)
  }

  /// Looks at the queue in a row that did not show the element living: a letter may be on its way.
  private var absences = 0
  /// Absences after which an element is given up.
  private static let patience = 3

  package init() {}

  /// - Parameters:
  ///   - letters: how the order ended so far, in the order of attempts.
  ///   - entry: what the queue has of the element; nil where it has nothing.
  ///   - hasAnswered: whether the queue could be asked at all.
  package mutating func judge(letters: [Letter.End], entry: Queue.Entry?, hasAnswered: Bool) -> Verdict {
    for case .recorded in letters { return .recorded }
    for case .compared(let report) in letters { return .compared(report) }
    for case .failed(let message, let isUserData) in letters {
      return .failed(message: message, isUserData: isUserData)
    }
    guard hasAnswered else { return .wait }
    if let entry, entry.isLiving {
      absences = 0
      return .wait
    }
    absences += 1
    guard absences >= Attempt.patience else { return .wait }
    if let entry, entry.state == "CANCELLED" { return .cancelled }
    if case .lost(let message)? = letters.last { return .lost(message, mayLackMemory: false) }
    guard let entry else { return .lost("its job is not in the queue any more", mayLackMemory: true) }
    let why = entry.reason.isEmpty || entry.reason == "None" ? entry.state : "\(entry.state), \(entry.reason)"
    return .lost("its job ended: \(why)", mayLackMemory: entry.state == "OUT_OF_MEMORY" || entry.state == "FAILED")
  }
}
