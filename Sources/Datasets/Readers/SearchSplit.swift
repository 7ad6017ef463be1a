import Determinism
import Panoptic

/// The cut of the training images into those the supernet learns from and those candidates are judged by.
public struct SearchSplit: Codable, Hashable, Sendable {
  /// Ascending.
  public let train: [ImageID]
  /// Ascending.
  public let validation: [ImageID]

  /// Draws `count` validation images: ids sorted, shuffled by the seed, the first taken. So the order in which a file
  /// lists its images does not matter.
  ///
  /// - Throws: `DatasetError` where no image would be left on one of the sides.
  public init(_ ids: [ImageID], validationCount count: Int, seed: UInt64) throws {
    guard count >= 1, count < ids.count else {
      throw DatasetError(
        .parameter(), at: "search split",
        "cannot cut \(count) validation images from \(ids.count) training images; both sides need at least one")
    }
    var order = ids.sorted()
    var random = Seeds(kind: "search-split", seed: seed).stream("order")
    random.shuffle(&order)
    validation = order.prefix(count).sorted()
    train = order.dropFirst(count).sorted()
  }
}
