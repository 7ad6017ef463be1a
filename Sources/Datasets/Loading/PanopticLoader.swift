import Determinism
import Panoptic
import Tensors
import Vision

/// How pictures become batches of the panoptic network.
public struct PanopticLoading: Codable, Hashable, Sendable {
  /// Images of a batch.
  public var batchSize: Int
  /// The size that images are brought to.
  public var resize: ResizeRule
  /// Horizontal flip probability in training.
  public var flipProbability: Double
  /// Channel order, mean and deviation.
  public var normalization: PixelNormalization
  /// Height and width of a batch are multiples of this.
  public var sizeMultiple: Int
  /// Landscape pictures and the others never share a batch.
  public var groupsByOrientation: Bool

  public init(
    batchSize: Int, resize: ResizeRule, flipProbability: Double = 0.5, normalization: PixelNormalization = .detection,
    sizeMultiple: Int = 32, groupsByOrientation: Bool = true
  ) {
    self.batchSize = batchSize
    self.resize = resize
    self.flipProbability = flipProbability
    self.normalization = normalization
    self.sizeMultiple = sizeMultiple
    self.groupsByOrientation = groupsByOrientation
  }

  /// Values from files are checked where they enter.
  func requireSound() {
    precondition(batchSize > 0 && sizeMultiple > 0, "PanopticLoading: batch \(batchSize), multiple \(sizeMultiple)")
    precondition((0...1).contains(flipProbability), "PanopticLoading: flip chance \(flipProbability)")
    precondition(0 < resize.shorterSide && resize.shorterSide <= resize.longestSide, "PanopticLoading: \(resize)")
    normalization.requireSound()
  }
}

/// Images of one step and what is on them. `N` images, `H × W` the padded size.
public struct PanopticBatch: Sendable {
  /// `[N, 3, H, W]`, normalised, zero in the padding.
  public let images: Tensor
  /// `N × H × W` semantic labels: 1...S stuff, 0 any thing, 255 void and padding.
  public let semanticLabels: [UInt8]
  /// One an image.
  public let examples: [PanopticExample]

  /// Rows, with padding.
  public var height: Int { images.shape[2] }
  /// Columns, with padding.
  public var width: Int { images.shape[3] }
}

/// Makes the batches of a panoptic data set: every batch is a function of the seed and its step.
///
/// ```swift
/// let loader = PanopticLoader(data, loading, seeds: Seeds(kind: "finetune-supernet", seed: 2020))
/// let batches = loader.training(steps: resumedStep..<90_000)
/// while let batch = try batches.next() { ... }
/// ```
public final class PanopticLoader: Sendable {
  public let dataset: PanopticDataset
  public let loading: PanopticLoading
  private let seeds: Seeds
  private let order: BatchOrder
  private let memo: BatchOrderMemo
  private let cache: PictureCache<PanopticPicture>

  /// - Parameters:
  ///   - seeds: of the stage; order and flips draw from paths below `path`.
  ///   - cacheBytes: decoded pictures kept in memory at most; changes speed alone.
  /// - Throws: `DatasetError` for an empty data set, and for a picture too thin to be resized.
  /// - Precondition: chances in 0...1, positive sizes, three finite means and deviations, none of the latter zero.
  public init(
    _ dataset: PanopticDataset, _ loading: PanopticLoading, seeds: Seeds, cacheBytes: Int = 512 << 20
  ) throws {
    guard !dataset.samples.isEmpty else { throw DatasetError(.empty, at: "loader", "the data set has no images") }
    loading.requireSound()
    for sample in dataset.samples where loading.resize.isTooThin(width: sample.image.width, height: sample.image.height)
    {
      throw DatasetError(
        .malformed, at: sample.imagePath,
        "\(sample.image.width)×\(sample.image.height) pixels: too long and thin for a longest side of "
          + "\(loading.resize.longestSide)")
    }
    self.dataset = dataset
    self.loading = loading
    self.seeds = seeds
    let groups = dataset.samples.map { loading.groupsByOrientation && $0.image.height < $0.image.width ? 1 : 0 }
    order = BatchOrder(groups: groups, batchSize: loading.batchSize, seeds: seeds)
    memo = BatchOrderMemo(order)
    cache = PictureCache(maximalBytes: cacheBytes)
  }

  /// The training batches of a range of steps, made ahead in the background.
  /// - Parameter step: the step of the `i`-th batch, for whoever takes only some of all.
  public func training(
    steps: Range<Int>, workers: Int = LoadingThreads.count(beside: Parallel.allThreads),
    dealtBy step: @escaping @Sendable (Int) -> Int = { $0 }
  ) -> Prefetcher<PanopticBatch> {
    Prefetcher(steps: steps, workers: workers) { [self] in try trainingBatch(step: step($0)) }
  }

  /// The training batch of a step.
  /// - Throws: `ImageError`, `PanopticError` or `DatasetError` for a file that is no longer what it should be.
  public func trainingBatch(step: Int) throws -> PanopticBatch {
    let samples = memo.samples(step: step)
    var random = seeds.stream("step/\(step)/flip")
    let flips = samples.map { _ in random.chance(loading.flipProbability) }
    return try batch(samples, flips)
  }

  /// The batch of certain samples, not flipped.
  /// - Parameter samples: indices into `dataset.samples`.
  public func evaluationBatch(samples: [Int]) throws -> PanopticBatch {
    try batch(samples, [Bool](repeating: false, count: samples.count))
  }

  /// The decoded picture of a sample, for whoever needs the ground truth itself.
  public func picture(_ index: Int) throws -> PanopticPicture {
    try cache.picture(index, size: \.byteCount) {
      try PanopticPicture(dataset.samples[index], categories: dataset.categories)
    }
  }

  private func batch(_ samples: [Int], _ flips: [Bool]) throws -> PanopticBatch {
    precondition(!samples.isEmpty, "PanopticLoader: a batch without images")
    let pictures = try samples.map { try picture($0) }
    let sizes = pictures.map { loading.resize.size(width: $0.image.width, height: $0.image.height) }
    func padded(_ size: Int) -> Int {
      (size + loading.sizeMultiple - 1) / loading.sizeMultiple * loading.sizeMultiple
    }
    let height = padded(sizes.map(\.height).max()!)
    let width = padded(sizes.map(\.width).max()!)
    let plane = height * width
    var images = Tensor(zeros: [samples.count, 3, height, width])
    var semantic = [UInt8](repeating: CategoryTable.ignoredLabel, count: samples.count * plane)
    var examples: [PanopticExample] = []
    for (i, picture) in pictures.enumerated() {
      let (w, h) = sizes[i]
      images.withMutableElements { planes in
        loading.normalization.write(
          picture.image, width: w, height: h, isFlipped: flips[i],
          to: UnsafeMutableBufferPointer(rebasing: planes[i * 3 * plane..<(i + 1) * 3 * plane]), planeHeight: height,
          planeWidth: width)
      }
      var map = SegmentMap(picture, width: w, height: h)
      if flips[i] { map.flip() }
      let segments = picture.sample.annotation.segments
      semantic.withUnsafeMutableBufferPointer { target in
        map.writeSemantic(
          SegmentMap.semanticTable(segments, dataset.categories),
          to: UnsafeMutableBufferPointer(rebasing: target[i * plane..<(i + 1) * plane]), targetWidth: width)
      }
      examples.append(
        PanopticExample(
          image: picture.sample.image, width: w, height: h, isFlipped: flips[i],
          instances: map.instances(segments, dataset.categories)))
    }
    return PanopticBatch(images: images, semanticLabels: semantic, examples: examples)
  }
}
