import Datasets
import Determinism
import Foundation
import Panoptic
import Testing

@testable import Vision

@Suite("Loaders")
struct LoaderTests {
  private static let loading = PanopticLoading(
    batchSize: 4, resize: ResizeRule(shorterSide: 64, longestSide: 128), groupsByOrientation: false)

  private func loader(
    _ folder: TemporaryFolder, _ loading: PanopticLoading = loading, seed: UInt64 = 3, cacheBytes: Int = 1 << 20
  ) throws -> PanopticLoader {
    try smallScenes(train: 10, validation: 3).write(to: folder.path)
    return try PanopticLoader(
      PanopticDataset(cocoRoot: folder.path, part: Coco.train), loading,
      seeds: Seeds(kind: "test", seed: seed), cacheBytes: cacheBytes)
  }

  private func digest(_ batch: PanopticBatch) -> Digest {
    var builder = DigestBuilder()
    batch.images.withElements { builder.update(UnsafeRawBufferPointer($0)) }
    builder.update(batch.semanticLabels)
    for e in batch.examples {
      builder.update("\(e.image.id) \(e.width) \(e.height) \(e.isFlipped)")
      for i in e.instances {
        builder.update("\(i.label) \(i.box)")
        builder.update(i.mask.pixels)
      }
    }
    return builder.finalize()
  }

  // Sizes from the published rule: truncated longer side, rounded shorter side where the limit binds.
  @Test(
    "sizes are the published ones",
    arguments: [
      (640, 480, 1066, 800), (480, 640, 800, 1066), (640, 427, 1199, 800), (640, 426, 1201, 800),
      (640, 360, 1333, 750), (500, 375, 1066, 800), (333, 500, 800, 1201), (2000, 500, 1332, 333),
      (800, 800, 800, 800), (1000, 800, 1000, 800), (612, 612, 800, 800),
    ])
  func sizes(width: Int, height: Int, newWidth: Int, newHeight: Int) {
    let size = ResizeRule(shorterSide: 800, longestSide: 1333).size(width: width, height: height)
    #expect(size == (newWidth, newHeight))
  }

  @Test("each epoch shows every sample, in another order, and groups stay apart")
  func epochs() {
    let groups = (0..<50).map { $0 % 3 == 0 ? 1 : 0 }
    let order = BatchOrder(groups: groups, batchSize: 4, seeds: Seeds(kind: "test", seed: 1))
    #expect(order.batchesPerEpoch == 9 + 5)
    var firsts = Set<[Int]>()
    for epoch in 0..<5 {
      let batches = order.batches(epoch: epoch)
      #expect(batches.count == order.batchesPerEpoch)
      #expect(batches.allSatisfy { $0.count == 4 && Set($0.map { groups[$0] }).count == 1 })
      #expect(Set(batches.joined()) == Set(0..<50))
      // 33 samples fill 9 batches of four with three repeats, 17 fill 5 with three.
      #expect(batches.joined().count - 50 == 6)
      firsts.insert(Array(batches.joined()))
    }
    #expect(firsts.count == 5)
    let even = BatchOrder(groups: [Int](repeating: 0, count: 12), batchSize: 4, seeds: Seeds(kind: "test", seed: 1))
    #expect(even.batches(epoch: 3).joined().sorted() == Array(0..<12))
    let alone = BatchOrder(groups: [0, 1, 1], batchSize: 4, seeds: Seeds(kind: "test", seed: 1))
    #expect(alone.batches(epoch: 0).contains([0, 0, 0, 0]))
  }

  @Test("a batch is a function of seed and step: threads, cache, prefetch and resuming change nothing")
  func determinism() throws {
    let folder = try TemporaryFolder()
    let steady = try loader(folder)
    let reference = try (0..<9).map { digest(try steady.trainingBatch(step: $0)) }
    #expect(Set(reference).count == 9)
    for (first, workers, cache) in [(0, 1, 0), (0, 3, 1 << 20), (5, 2, 40_000)] {
      let other = try PanopticLoader(
        PanopticDataset(cocoRoot: folder.path, part: Coco.train), Self.loading, seeds: Seeds(kind: "test", seed: 3),
        cacheBytes: cache)
      let batches = other.training(steps: first..<9, workers: workers)
      var digests: [Digest] = []
      while let batch = try batches.next() { digests.append(digest(batch)) }
      #expect(digests == Array(reference[first...]))
    }
    let another = try loader(folder, seed: 4)
    #expect(digest(try another.trainingBatch(step: 0)) != reference[0])
  }

  @Test("labels, boxes and masks turn with the picture")
  func flips() throws {
    let folder = try TemporaryFolder()
    var loading = Self.loading
    loading.batchSize = 10
    loading.flipProbability = 1
    let turned = try loader(folder, loading).trainingBatch(step: 0)
    loading.flipProbability = 0
    let straight = try loader(folder, loading).trainingBatch(step: 0)
    #expect(turned.examples.map(\.image.id) == straight.examples.map(\.image.id))
    let (w, plane) = (64, 64 * 64)
    let (a, b) = (straight.images.array, turned.images.array)
    for (i, (s, t)) in zip(straight.examples, turned.examples).enumerated() {
      #expect(t.isFlipped && !s.isFlipped)
      for y in 0..<64 {
        for x in 0..<w {
          let (p, q) = (y * w + x, y * w + w - 1 - x)
          for c in 0..<3 { #expect(a[(i * 3 + c) * plane + p] == b[(i * 3 + c) * plane + q]) }
          #expect(straight.semanticLabels[i * plane + p] == turned.semanticLabels[i * plane + q])
        }
      }
      #expect(s.instances.count == t.instances.count)
      for (u, v) in zip(s.instances, t.instances) {
        #expect(v.label == u.label && v.mask == mirrored(u.mask))
        #expect(v.box == Box(Float(w - 1) - u.box.x1, u.box.y0, Float(w - 1) - u.box.x0, u.box.y1))
      }
    }
  }

  @Test("what a batch says is what the annotation says")
  func content() throws {
    let folder = try TemporaryFolder()
    let loader = try loader(folder)
    var instanceCount = 0
    for (index, sample) in loader.dataset.samples.enumerated() {
      let batch = try loader.evaluationBatch(samples: [index])
      let example = batch.examples[0]
      #expect(example.image == sample.image && !example.isFlipped && batch.examples.count == 1)
      let map = try ImageFile.readLabelPNG(path: sample.labelPath)
      let categories = loader.dataset.categories
      var labels: [UInt32: UInt8] = [0: 255]
      for segment in sample.annotation.segments {
        labels[UInt32(segment.id)] = UInt8(categories.semanticLabel(ofID: segment.categoryID)!)
      }
      #expect(batch.semanticLabels == map.ids.map { labels[$0]! })
      let truth = sample.annotation.segments.compactMap { segment -> GroundTruthInstance? in
        guard !segment.isCrowd, let label = categories.boxLabel(ofID: segment.categoryID) else { return nil }
        let places = map.ids.indices.filter { map.ids[$0] == UInt32(segment.id) }
        let (columns, rows) = (places.map { $0 % map.width }, places.map { $0 / map.width })
        let (x0, y0, x1, y1) = (columns.min()!, rows.min()!, columns.max()!, rows.max()!)
        return GroundTruthInstance(
          label: label, box: Box(Float(x0), Float(y0), Float(x1), Float(y1)),
          mask: BinaryMask(width: x1 - x0 + 1, height: y1 - y0 + 1) { x, y in
            map.ids[(y0 + y) * map.width + x0 + x] == UInt32(segment.id)
          })
      }.filter { $0.box.x1 > $0.box.x0 && $0.box.y1 > $0.box.y0 }
      #expect(example.instances == truth)
      instanceCount += truth.count
    }
    #expect(instanceCount > 10)
  }

  @Test("pixels are BGR minus the mean, zero in the padding, where the labels are ignored")
  func padding() throws {
    let folder = try TemporaryFolder()
    var loading = Self.loading
    loading.sizeMultiple = 48
    let loader = try loader(folder, loading)
    let batch = try loader.evaluationBatch(samples: [2])
    #expect(batch.height == 96 && batch.width == 96 && batch.examples[0].width == 64)
    let image = try loader.picture(2).image
    let mean: [Float] = [102.9801, 115.9465, 122.7717]
    let values = batch.images.array
    for c in 0..<3 {
      for y in 0..<96 {
        for x in 0..<96 {
          let inside = x < 64 && y < 64
          let expected = inside ? Float(image[x, y, 2 - c]) - mean[c] : 0
          #expect(values[(c * 96 + y) * 96 + x] == expected)
          if !inside { #expect(batch.semanticLabels[y * 96 + x] == 255) }
        }
      }
    }
  }

  @Test("a resized picture keeps its labels whole")
  func resized() throws {
    let folder = try TemporaryFolder()
    var loading = Self.loading
    loading.resize = ResizeRule(shorterSide: 100, longestSide: 200)
    let loader = try loader(folder, loading)
    let batch = try loader.evaluationBatch(samples: [0, 1])
    #expect(batch.height == 128 && batch.examples.allSatisfy { $0.width == 100 && $0.height == 100 })
    let small = try self.loader(folder).evaluationBatch(samples: [0, 1])
    for (big, little) in zip(batch.examples, small.examples) {
      let labels = Set(little.instances.map(\.label))
      #expect(Set(big.instances.map(\.label)).isSuperset(of: labels))
    }
  }

  @Test("classification batches are functions of seed and step too, and show their classes")
  func classification() throws {
    let folder = try TemporaryFolder()
    var p = ClassificationMiniature()
    (p.classCount, p.trainPerClass) = (4, 3)
    try p.write(to: folder.path)
    let data = try ClassificationDataset(root: folder.path, part: ClassificationLayout.imageNet.training)
    let loading = ClassificationLoading(
      batchSize: 5, crop: CropAugmentation(side: 32, minimumArea: 0.3))
    func digests(_ steps: Range<Int>, workers: Int) throws -> [[UInt32]] {
      let loader = ClassificationLoader(data, loading, seeds: Seeds(kind: "test", seed: 1))
      let batches = loader.training(steps: steps, workers: workers)
      var all: [[UInt32]] = []
      while let batch = try batches.next() {
        #expect(batch.labels.allSatisfy { (0..<4).contains($0) } && batch.labels.count == 5)
        all.append(batch.images.array.map(\.bitPattern))
      }
      return all
    }
    let reference = try digests(0..<7, workers: 1)
    #expect(Set(reference).count == 7)
    #expect(try digests(0..<7, workers: 3) == reference)
    #expect(try digests(4..<7, workers: 2) == Array(reference[4...]))
  }

  @Test("crops decoded from the file and crops of kept pictures are the same")
  func partsOfJPEGs() throws {
    let folder = try TemporaryFolder()
    for i in 0..<3 { try FileIO.write(ImageDecoderSamples.all[i], to: "\(folder.path)/\(i).jpg") }
    let data = try ClassificationDataset(files: (0..<3).map { "\($0).jpg" }, in: folder.path)
    for jitter in [ColourJitter(), ColourJitter(brightness: 0, contrast: 0, saturation: 0)] {
      let loading = ClassificationLoading(
        batchSize: 3, crop: CropAugmentation(side: 16),
        jitter: jitter)
      let loaders = [0, 3000, 1 << 20].map {
        ClassificationLoader(data, loading, seeds: Seeds(kind: "test", seed: 1), cacheBytes: $0)
      }
      for step in 0..<12 {
        let batches = try loaders.map { try $0.trainingBatch(step: step).images.array }
        #expect(batches[1] == batches[0] && batches[2] == batches[0])
      }
    }
  }

  @Test("batches are made ahead while the caller works, so it waits for the first one at most")
  func lead() throws {
    let line = Prefetcher(steps: 0..<30, depth: 3, workers: 1) { $0 }
    for step in 0..<30 {
      #expect(try line.next() == step)
      // The caller's work: it lasts until the worker has made all it may.
      while line.lead.ready < min(3, 29 - step) { sched_yield() }
    }
    #expect(line.lead.waits <= 1 && line.lead.ready == 0)
    #expect(try line.next() == nil)
  }

  @Test("an error of the maker arrives at its step, and a dropped queue ends")
  func prefetchErrors() throws {
    struct Trouble: Error {}
    let line = Prefetcher(steps: 10..<20, depth: 3, workers: 2) { step in
      if step == 12 { throw Trouble() }
      return step
    }
    #expect(try line.next() == 10)
    #expect(try line.next() == 11)
    #expect(throws: Trouble.self) { try line.next() }
    #expect(try line.next() == 13)
  }
}

private func mirrored(_ mask: BinaryMask) -> BinaryMask {
  BinaryMask(width: mask.width, height: mask.height) { x, y in mask[mask.width - 1 - x, y] }
}
