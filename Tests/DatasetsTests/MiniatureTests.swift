import Datasets
import Determinism
import Foundation
import Panoptic
import Testing
import Vision

@Suite("Miniatures")
struct MiniatureTests {
  /// Made by this generator on x86-64; a change of any picture changes them and needs a new version of the stage.
  static let goldenScenes = "842b82968715f6d1d0dc8f8d764d0ac0cf55ce16937b9961924d0e5959132ace"
  static let goldenObjects = "0f2775a2c7d741369f1437e4481a5646984ce464fe363cf2b5a072b7e72aa3b3"

  @Test("the panoptic set has the same bytes with any number of threads", arguments: [1, 3])
  func scenesAreReproducible(threads: Int) throws {
    let folder = try TemporaryFolder()
    try Parallel.withThreads(threads) { try smallScenes().write(to: folder.path) }
    let digest = try folder.digest().hex
    #expect(digest == Self.goldenScenes, "\(digest)")
  }

  @Test("the classification set has the same bytes with any number of threads", arguments: [1, 3])
  func objectsAreReproducible(threads: Int) throws {
    let folder = try TemporaryFolder()
    var p = ClassificationMiniature()
    p.trainPerClass = 2
    p.validationPerClass = 1
    try Parallel.withThreads(threads) { try p.write(to: folder.path) }
    let digest = try folder.digest().hex
    #expect(digest == Self.goldenObjects, "\(digest)")
  }

  @Test("another seed gives other pictures")
  func seeds() throws {
    let (a, b) = (try TemporaryFolder(), try TemporaryFolder())
    try smallScenes(seed: 1).write(to: a.path)
    try smallScenes(seed: 2).write(to: b.path)
    #expect(try a.digest() != b.digest())
  }

  @Test("the readers take the panoptic set; no two pictures are alike; everything promised occurs")
  func scenesAreVaried() throws {
    let folder = try TemporaryFolder()
    var parameters = PanopticMiniature()
    parameters.trainCount = 150
    parameters.validationCount = 10
    try parameters.write(to: folder.path)
    var pictures = Set<[UInt8]>()
    var maps = Set<[UInt16]>()
    var categories = Set<Int>()
    var sides: [Float] = []
    var (crowds, voids, objects) = (0, 0, 0)
    for part in [Coco.train, Coco.val] {
      let data = try PanopticDataset(cocoRoot: folder.path, part: part)
      #expect(data.categories.things.count >= 8 && data.categories.stuff.count >= 6)
      for sample in data.samples {
        let picture = try PanopticPicture(sample, categories: data.categories)
        pictures.insert(picture.image.pixels)
        maps.insert(picture.segmentIndices)
        let segments = sample.annotation.segments
        categories.formUnion(segments.map(\.categoryID))
        crowds += segments.filter(\.isCrowd).count
        voids += picture.segmentIndices.contains(0) ? 1 : 0
        let things = segments.filter { !$0.isCrowd && data.categories.boxLabel(ofID: $0.categoryID) != nil }
        objects += things.count
        sides += things.compactMap { $0.boundingBox.map { Float(max($0[2], $0[3])) } }
        // What the index states is what the PNG shows.
        let measured = PanopticSegmentation(map: picture.labelImage, segments: segments).measured()
        #expect(measured.segments == segments)
      }
      if part == Coco.train { #expect(categories.count == data.categories.count) }
    }
    #expect(pictures.count == 160 && maps.count == 160)
    #expect(crowds > 5 && voids > 15)
    #expect((300...900).contains(objects))
    #expect(sides.min()! <= 8 && sides.max()! >= 80)
  }

  @Test("with markers, colours in a region are those of its class, and most of a region is grey")
  func markers() throws {
    let folder = try TemporaryFolder()
    var parameters = PanopticMiniature()
    parameters.style = "outdoor-markers"
    (parameters.trainCount, parameters.validationCount) = (1, 40)
    (parameters.voidProbability, parameters.crowdProbability) = (0, 0)
    parameters.objects = .init(minimum: 0, maximum: 0)
    try parameters.write(to: folder.path)
    let data = try PanopticDataset(cocoRoot: folder.path, part: Coco.val)
    #expect(data.categories.things.count == 2 && data.categories.stuff.count == 6)
    var hits = [Int: (own: Int, all: Int)]()
    var (coloured, pixels) = (0, 0)
    for sample in data.samples {
      let picture = try PanopticPicture(sample, categories: data.categories)
      let ids = sample.annotation.segments.map(\.categoryID)
      let classes = ids.map { id in data.categories.stuff.firstIndex { $0.id == id }! }
      for (i, segment) in picture.segmentIndices.enumerated() where segment > 0 {
        let rgb = (0..<3).map { Double(picture.image.pixels[3 * i + $0]) }
        let (high, low) = (rgb.max()!, rgb.min()!)
        pixels += 1
        guard high - low > 0.5 * high, high > 90 else { continue }
        coloured += 1
        let k = rgb.firstIndex(of: high)!
        let turn = (Double(2 * k) + (rgb[(k + 1) % 3] - rgb[(k + 2) % 3]) / (high - low)) / 6
        let nearest = (Int((turn * 6).rounded()) + 6) % 6
        let own = classes[Int(segment) - 1]
        hits[own, default: (0, 0)].own += nearest == own ? 1 : 0
        hits[own, default: (0, 0)].all += 1
      }
    }
    #expect(hits.count == 6)
    for (k, count) in hits { #expect(Double(count.own) > 0.9 * Double(count.all), "class \(k): \(count)") }
    let share = Double(coloured) / Double(pixels)
    #expect((0.01...0.1).contains(share), "\(share)")
  }

  @Test("the reader takes the classification set; no two pictures are alike")
  func objectsAreVaried() throws {
    let folder = try TemporaryFolder()
    var p = ClassificationMiniature()
    p.trainPerClass = 4
    p.validationPerClass = 2
    try p.write(to: folder.path)
    let train = try ClassificationDataset(root: folder.path, part: ClassificationLayout.imageNet.training)
    let validation = try ClassificationDataset(
      root: folder.path, part: ClassificationLayout.imageNet.validation, classes: train.classes)
    #expect(train.classes.count == 20 && train.samples.count == 80 && validation.samples.count == 40)
    let images = try (train.samples.map { try train.image($0) }) + (validation.samples.map { try validation.image($0) })
    #expect(Set(images.map(\.pixels)).count == 120)
    #expect(images.allSatisfy { $0.width == $0.height && (40...64).contains($0.width) })
  }

  @Test("parameters decode from a few members, and foolish ones are refused")
  func parameters() throws {
    let some: CanonicalValue = ["seed": 5, "trainCount": 30]
    let p = try some.decoded(as: PanopticMiniature.self)
    #expect(p.seed == 5 && p.trainCount == 30 && p.width == 128)
    #expect(try CanonicalValue(encoding: p).decoded(as: PanopticMiniature.self) == p)

    func refused(_ change: (inout PanopticMiniature) -> Void) -> String {
      var p = smallScenes()
      change(&p)
      return message { try p.write(to: "/nowhere/at/all") }
    }
    #expect(
      refused { $0.style = "outdor" }
        == "panoptic miniature, style: error: no style 'outdor'; there are outdoor, indoor, outdoor-markers, "
        + "indoor-markers")
    #expect(refused { $0.width = 8 }.contains("must be in 16...4096"))
    #expect(refused { $0.trainCount = 0 }.contains("trainCount"))
    #expect(refused { $0.objectSizes = .init(minimum: 0.5, maximum: 0.1) }.contains("objectSizes"))
    #expect(refused { $0.crowdProbability = .nan }.contains("crowdProbability"))
  }
}
