import Datasets

/// The batches of a training from wherever it starts, made ahead in the background.
final class BatchStream<Batch: Sendable> {
  private let start: (Int) -> Prefetcher<Batch>
  private var prefetcher: Prefetcher<Batch>?
  private var expected = 0

  /// - Parameter start: the batches from a step on.
  init(_ start: @escaping (Int) -> Prefetcher<Batch>) { self.start = start }

  /// The batch of a step.
  /// - Precondition: steps come one after the other, from any first one.
  func batch(_ step: Int) throws -> Batch {
    if prefetcher == nil {
      prefetcher = start(step)
      expected = step
    }
    precondition(step == expected, "BatchStream: step \(step) where \(expected) is next")
    expected += 1
    guard let batch = try prefetcher!.next() else { preconditionFailure("BatchStream: no batch of step \(step)") }
    return batch
  }
}
