import Determinism
import Foundation
import PipelineModel

extension Executor {
  /// Executes orders that compare, and waits for all of them.
  /// - Parameter stopsAtFailure: whether none is begun after one that failed.
  /// - Returns: the reports in the order of the orders, up to the first failure if it stops there.
  package func compare(
    _ orders: [WorkOrder], stopsAtFailure: Bool, interruption: Interruption,
    observer: @escaping @Sendable (RunEvent) -> Void
  ) throws -> [Result<RerunReport.InstanceReport, any Error>] {
    let ends = try perform(orders, stopsAtFailure: stopsAtFailure, interruption: interruption, observer: observer)
    return orders.compactMap { order in
      ends[order.key].map { end in
        end.map { outcome in
          guard case .compared(let report) = outcome else { preconditionFailure("\(order.stage) was to be compared") }
          return report
        }
      }
    }
  }

  /// Executes orders and waits for all of them.
  /// - Returns: how each ended, by its key.
  /// - Throws: `StageInterrupted`, and where an order can't be submitted.
  package func perform(
    _ orders: [WorkOrder], stopsAtFailure: Bool = false, interruption: Interruption,
    observer: @escaping @Sendable (RunEvent) -> Void
  ) throws -> [Digest: Result<WorkOutcome, any Error>] {
    let mailbox = Mailbox()
    var waiting = orders[...]
    var open: Set<Digest> = []
    var ends = [Digest: Result<WorkOutcome, any Error>]()
    var isCancelled = false
    var isDelayed = false
    while !waiting.isEmpty || !open.isEmpty {
      if isDelayed { Thread.sleep(forTimeInterval: 0.1) }
      isDelayed = false
      while let order = waiting.first, open.count < capacity, !isCancelled {
        waiting.removeFirst()
        // Equal keys are one execution.
        guard open.insert(order.key).inserted, ends[order.key] == nil else { continue }
        try submit(order) { event in
          if case .event(let news) = event {
            observer(news)
          } else {
            mailbox.put(Mailbox.Letter(key: order.key, event: event))
          }
        }
      }
      try flush()
      if interruption.isRequested, !isCancelled {
        isCancelled = true
        waiting = []
        cancel()
      }
      for letter in mailbox.take(waitingAtMost: 0.2) {
        guard case .ended(let result) = letter.event else { continue }
        open.remove(letter.key)
        if case .success(.taken) = result {
          // Another runner works on it now: look again in a moment.
          if !isCancelled, let order = orders.first(where: { $0.key == letter.key }) { waiting.append(order) }
          isDelayed = true
          continue
        }
        ends[letter.key] = result
        if stopsAtFailure, case .failure = result { waiting = [] }
        if case .success(.compared(let report)) = result {
          observer(.finished(stage: report.name, key: report.key, outputs: report.outputs, seconds: report.seconds))
        }
      }
    }
    if isCancelled { throw StageInterrupted() }
    return ends
  }
}
