import Determinism
import Tensors
import Vision

/// How pictures become batches of a classifier.
public struct ClassificationLoading: Codable, Hashable, Sendable {
  /// Images of a batch.
  public var batchSize: Int
  /// The random crop of a training image.
  public var crop: CropAugmentation
  /// Random colours of a training image.
  public var jitter: ColourJitter
  /// Horizontal flip probability in training.
  public var flipProbability: Double
  /// Channel order, mean and deviation.
  public var normalization: PixelNormalization

  public init(
    batchSize: Int, crop: CropAugmentation, jitter: ColourJitter = ColourJitter(), flipProbability: Double = 0.5,
    normalization: PixelNormalization = .raw
  ) {
    self.batchSize = batchSize
    self.crop = crop
    self.jitter = jitter
    self.flipProbability = flipProbability
    self.normalization = normalization
  }

  /// Values from files are checked where they enter.
  func requireSound() {
    precondition(batchSize > 0 && crop.side > 0, "ClassificationLoading: batch \(batchSize), side \(crop.side)")
    precondition(
      0 < crop.minimumArea && crop.minimumArea <= crop.maximumArea && crop.maximumArea <= 1 && crop.proportion >= 1
        && crop.proportion.isFinite, "ClassificationLoading: \(crop)")
    precondition(
      [jitter.brightness, jitter.contrast, jitter.saturation].allSatisfy { (0...10).contains($0) },
      "ClassificationLoading: \(jitter)")
    precondition((0...1).contains(flipProbability), "ClassificationLoading: flip chance \(flipProbability)")
    normalization.requireSound()
  }
}

/// Images of one step and their classes.
public struct ClassificationBatch: Sendable {
  /// `[N, 3, side, side]`
  public let images: Tensor
  /// From 0, one an image.
  public let labels: [Int]
}

/// Makes the batches of a classification data set: every batch is a function of the seed and its step.
public final class ClassificationLoader: Sendable {
  public let dataset: ClassificationDataset
  public let loading: ClassificationLoading
  private let seeds: Seeds
  private let order: BatchOrder
  private let memo: BatchOrderMemo
  private let cache: PictureCache<Image>

  /// - Parameters:
  ///   - seeds: of the stage; order, crops, colours and flips draw from its streams.
  ///   - cacheBytes: decoded pictures kept in memory at most; changes speed alone.
  /// - Precondition: chances in 0...1, positive sizes, areas in 0...1, three finite means and deviations, none of the
  ///   latter zero.
  public init(
    _ dataset: ClassificationDataset, _ loading: ClassificationLoading, seeds: Seeds, cacheBytes: Int = 256 << 20
  ) {
    loading.requireSound()
    self.dataset = dataset
    self.loading = loading
    self.seeds = seeds
    order = BatchOrder(
      groups: [Int](repeating: 0, count: dataset.samples.count), batchSize: loading.batchSize, seeds: seeds)
    memo = BatchOrderMemo(order)
    cache = PictureCache(maximalBytes: cacheBytes)
  }

  /// The training batches of a range of steps, made ahead in the background.
  /// - Parameter step: the step of the `i`-th batch, for whoever takes only some of all.
  public func training(
    steps: Range<Int>, workers: Int = LoadingThreads.count(beside: Parallel.allThreads),
    dealtBy step: @escaping @Sendable (Int) -> Int = { $0 }
  ) -> Prefetcher<ClassificationBatch> {
    Prefetcher(steps: steps, workers: workers) { [self] in try trainingBatch(step: step($0)) }
  }

  /// The training batch of a step: crop, colours, flip, each drawn anew for every image.
  /// - Throws: `ImageError` for a file that cannot be decoded; what the tree throws for one that changed.
  public func trainingBatch(step: Int) throws -> ClassificationBatch {
    let samples = memo.samples(step: step)
    let side = loading.crop.side
    let size = 3 * side * side
    var images = Tensor(zeros: [samples.count, 3, side, side])
    try images.withMutableElements { planes in
      for (slot, sample) in samples.enumerated() {
        var random = seeds.stream("step/\(step)/image/\(slot)")
        let target = UnsafeMutableBufferPointer(rebasing: planes[slot * size..<(slot + 1) * size])
        try loading.write(try source(sample), to: target, using: &random)
      }
    }
    return ClassificationBatch(images: images, labels: samples.map { dataset.samples[$0].label })
  }

  /// The decoded picture where it is kept or will be, else the file, of which a crop needs only a part. Which of them
  /// it is changes no sample: see `ImageFile.decoderIdentity`.
  private func source(_ index: Int) throws -> TrainingPicture {
    if let image = cache[index] { return .decoded(image) }
    let file = try dataset.encoded(dataset.samples[index])
    guard cache.hasRoom(bytes: file.byteCount) else { return .encoded(file) }
    let image = try file.decoded()
    cache.keep(image, index, bytes: file.byteCount)
    return .decoded(image)
  }

  /// Pictures for an evaluation, in their order: the shorter side is scaled to 8/7 of the input, the middle is taken.
  /// - Parameter samples: indices into the data set; those that can't be decoded are left out.
  /// - Throws: what the tree throws for a file that changed.
  public func validationBatch(_ samples: [Int]) throws -> ClassificationBatch {
    let side = loading.crop.side
    let pictures = try samples.compactMap { index -> (image: Image, label: Int)? in
      let sample = dataset.samples[index]
      do {
        return (try dataset.image(sample).middle(side: side), sample.label)
      } catch is ImageError {
        return nil
      }
    }
    let size = 3 * side * side
    var images = Tensor(zeros: [max(1, pictures.count), 3, side, side])
    images.withMutableElements { planes in
      for (slot, picture) in pictures.enumerated() {
        let target = UnsafeMutableBufferPointer(rebasing: planes[slot * size..<(slot + 1) * size])
        loading.normalization.write(
          picture.image, width: side, height: side, isFlipped: false, to: target, planeHeight: side, planeWidth: side)
      }
    }
    return ClassificationBatch(images: images, labels: pictures.map(\.label))
  }
}

extension Image {
  /// The middle of the picture at a size where its shorter side is 8/7 of `side`, as 256 is of 224.
  fileprivate func middle(side: Int) -> Image {
    let shorter = max(side, (8 * side + 3) / 7)
    func scaled(_ length: Int) -> Int {
      max(side, (2 * length * shorter + min(width, height)) / (2 * min(width, height)))
    }
    let (w, h) = (scaled(width), scaled(height))
    return resized(width: w, height: h, by: .antialiased)
      .cropped(PixelRectangle(x: (w - side) / 2, y: (h - side) / 2, width: side, height: side))
  }
}
