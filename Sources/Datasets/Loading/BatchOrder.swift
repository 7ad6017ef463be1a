import Determinism
import Foundation

/// Which samples make which batch: a function of the seed and the step, so training resumes anywhere without replay.
///
/// Every epoch is a new random order. Samples of different groups (orientations) never share a batch; the last batch
/// of a group is filled up from the start of that group's order, so that all batches have one size.
public struct BatchOrder: Sendable {
  public let batchSize: Int
  /// Batches until every sample was used.
  public let batchesPerEpoch: Int
  private let groups: [Int]
  private let groupCount: Int
  private let seeds: Seeds

  /// - Parameters:
  ///   - groups: the group of each sample, from 0.
  ///   - seeds: of the stage; the order draws from `epoch/<n>/order`.
  public init(groups: [Int], batchSize: Int, seeds: Seeds) {
    precondition(!groups.isEmpty && batchSize > 0, "BatchOrder: \(groups.count) samples in batches of \(batchSize)")
    self.groups = groups
    self.batchSize = batchSize
    self.seeds = seeds
    groupCount = groups.max()! + 1
    var sizes = [Int](repeating: 0, count: groupCount)
    for g in groups { sizes[g] += 1 }
    batchesPerEpoch = sizes.reduce(0) { $0 + ($1 + batchSize - 1) / batchSize }
  }

  public func epoch(ofStep step: Int) -> Int { step / batchesPerEpoch }

  /// All batches of an epoch, as sample indices: in the order in which they fill up, incomplete ones last.
  public func batches(epoch: Int) -> [[Int]] {
    var random = seeds.stream("epoch/\(epoch)/order")
    var open = [[Int]](repeating: [], count: groupCount)
    var heads = open
    var batches: [[Int]] = []
    for sample in random.permutation(groups.count) {
      let g = groups[sample]
      if heads[g].count < batchSize { heads[g].append(sample) }
      open[g].append(sample)
      if open[g].count == batchSize {
        batches.append(open[g])
        open[g] = []
      }
    }
    for g in 0..<groupCount where !open[g].isEmpty {
      var batch = open[g]
      for i in 0..<batchSize - batch.count { batch.append(heads[g][i % heads[g].count]) }
      batches.append(batch)
    }
    return batches
  }
}

/// Keeps the batches of the epoch asked for last, for consecutive steps.
final class BatchOrderMemo: @unchecked Sendable {
  // Invariant: `epoch` and `batches` are touched only under `lock`.
  private let order: BatchOrder
  private let lock = NSLock()
  private var epoch = -1
  private var batches: [[Int]] = []

  init(_ order: BatchOrder) { self.order = order }

  func samples(step: Int) -> [Int] {
    lock.withLock {
      let wanted = order.epoch(ofStep: step)
      if wanted != epoch {
        batches = order.batches(epoch: wanted)
        epoch = wanted
      }
      return batches[step % order.batchesPerEpoch]
    }
  }
}
