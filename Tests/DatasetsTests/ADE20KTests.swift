import Determinism
import Foundation
import Panoptic
import Testing
import Vision

@testable import Datasets

@Suite("ADE20K")
struct ADE20KTests {
  @Test("150 different classes, 100 of them things")
  func classes() {
    #expect(Set(ADE20KClasses.names).count == 150)
    #expect(Set(ADE20KClasses.things).count == 100 && ADE20KClasses.things.allSatisfy { (1...150).contains($0) })
    #expect(ADE20KClasses.names[ADE20KClasses.things[0] - 1] == "bed")
  }

  /// Areas, boxes and classes of every segment by the original converter. Its ids of classes start at 0, and its boxes
  /// are one pixel off toward the lower right where they do not start at the border; ours are COCO's.
  @Test("segments of a real picture are those of the original tools", .needs("ade20k/derived/ADEChallengeData2016"))
  func real() throws {
    let root = try #require(sampleData("ade20k/derived/ADEChallengeData2016"))
    let name = "ADE_train_00016869"
    let map = try ADE20KMap(
      classes: ImageFile.readIndices(path: "\(root)/annotations/training/\(name).png"), at: "classes",
      objects: ImageFile.readLabelPNG(path: "\(root)/annotations_instance/training/\(name).png"), at: "objects")
    let reference = try CanonicalValue(
      json: Array(try Data(contentsOf: URL(fileURLWithPath: "\(root)/ade20k_panoptic_train.json"))))
    let segments = try #require(reference["annotations"]?.arrayValue?.first?["segments_info"]?.arrayValue)
    let theirs = segments.map { [($0["category_id"]?.integerValue ?? -9) + 1, $0["area"]?.integerValue ?? -1] }
    let ours = map.segments.map { [$0.category, $0.area] }
    func ordered(_ all: [[Int]]) -> [[Int]] { all.sorted { $0.lexicographicallyPrecedes($1) } }
    #expect(ordered(ours) == ordered(theirs) && ours.count == 41)
    // Every id of the map is a segment, with as many pixels.
    let counts = Dictionary(map.labels.ids.map { ($0, 1) }, uniquingKeysWith: +)
    for segment in map.segments { #expect(counts[segment.id] == segment.area) }
  }

  private func miniature() -> PanopticMiniature {
    var p = smallScenes()
    p.style = "indoor"
    p.crowdChance = 0
    return p
  }

  /// Made by this generator; a change of any picture changes it and needs a new version of the stage.
  static let golden = "a972123fb25f791c33673c53eef7320b08b9d3d3b33ff16ad3251feddeb2076b"

  @Test("the miniature has the same bytes with any number of threads", arguments: [1, 3])
  func reproducible(threads: Int) throws {
    let folder = try TemporaryFolder()
    try Parallel.withThreads(threads) { try miniature().writeADE20K(to: folder.path) }
    let digest = try folder.digest().hex
    #expect(digest == Self.golden, "\(digest)")
  }

  @Test("the converted miniature is the one that is drawn in COCO's layout")
  func roundTrip() throws {
    let (ade, converted, direct) = (try TemporaryFolder(), try TemporaryFolder(), try TemporaryFolder())
    try miniature().writeADE20K(to: ade.path)
    try ADE20K(root: ade.path).convert(to: converted.path, classes: .present)
    try miniature().write(to: direct.path)
    for part in ["train2017", "val2017"] {
      let a = try PanopticDataset(cocoRoot: converted.path, part: part)
      let b = try PanopticDataset(cocoRoot: direct.path, part: part)
      #expect(a.samples.count == b.samples.count)
      for (x, y) in zip(a.samples, b.samples) {
        func segments(_ sample: PanopticDataset.Sample, _ table: CategoryTable) -> Set<String> {
          Set(sample.annotation.segments.map { "\(table.category(id: $0.categoryID)!.name) \($0.area)" })
        }
        #expect(segments(x, a.categories) == segments(y, b.categories))
        let (p, q) = try (PanopticPicture(x, categories: a.categories), PanopticPicture(y, categories: b.categories))
        #expect(p.image == q.image)
      }
    }
  }

  @Test("all 150 classes unless only those present are wanted")
  func classesWanted() throws {
    let (ade, converted) = (try TemporaryFolder(), try TemporaryFolder())
    try miniature().writeADE20K(to: ade.path)
    try ADE20K(root: ade.path).convert(to: converted.path)
    let categories = try PanopticDataset(cocoRoot: converted.path, part: "val2017").categories
    #expect(categories.things.count == 100 && categories.stuff.count == 50)
  }

  @Test("contradictions are named")
  func damages() throws {
    func image(_ values: [UInt8]) -> Image { Image(width: values.count, height: 1, channels: 1, pixels: values) }
    func map(_ classes: [UInt8], _ objects: [UInt32]) -> String {
      message {
        _ = try ADE20KMap(
          classes: image(classes), at: "c.png", objects: LabelImage(width: objects.count, height: 1, ids: objects),
          at: "o.png")
      }
    }
    #expect(map([1, 2], [0]) == "o.png: error: has 1×1 pixels, c.png has 2×1")
    #expect(map([151], [0]) == "c.png: error: class 151 at (0, 0) of 0...150")
    #expect(map([1], [101 | 1 << 8]) == "o.png: error: object 1 at (0, 0) has class 101 of 1...100")
    #expect(map([1, 1], [1 | 1 << 8, 2 | 1 << 8]) == "o.png: error: object 1 has two classes, the second at (1, 0)")
    let folder = try TemporaryFolder()
    #expect(message { try ADE20K(root: folder.path).convert(to: folder.path + "/out") }.contains("images/training"))
  }
}
