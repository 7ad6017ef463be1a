import Tensors

/// A layer's statistics over all batches, which batches move.
public protocol RunningStatistics: AnyObject {
  /// - Parameter weight: of the batch.
  func move(by batch: BatchNormalization.BatchMoments, weight: Double)
}

/// What a pass changes in the running statistics of a layer, once somebody applies it.
public struct StatisticsUpdate {
  public let layer: any RunningStatistics
  public let batch: BatchNormalization.BatchMoments
  /// Of the batch in the new statistics.
  public let weight: Double

  public init(layer: any RunningStatistics, batch: BatchNormalization.BatchMoments, weight: Double) {
    self.layer = layer
    self.batch = batch
    self.weight = weight
  }

  public func apply() { layer.move(by: batch, weight: weight) }
}
