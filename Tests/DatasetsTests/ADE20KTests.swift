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

  /// The lists of the challenge itself, joined: names by first synonym, things in the order of the instance track.
  @Test("classes are those of the published lists", .needs("ade20k/derived/ade20k_100_things_50_stuff.json"))
  func publishedClasses() throws {
    let path = try #require(sampleData("ade20k/derived/ade20k_100_things_50_stuff.json"))
    let lists = try CanonicalValue(json: Array(try Data(contentsOf: URL(fileURLWithPath: path))))
    let categories = try #require(lists["categories"]?.arrayValue)
    #expect(categories.count == 150)
    for (i, category) in categories.enumerated() {
      let name = try #require(category["name"]?.stringValue)
      #expect(category["id"]?.integerValue == i + 1)
      #expect(ADE20KClasses.names[i] == name.prefix { $0 != "," && $0 != ";" })
      let number = category["instance100_id"]?.integerValue
      #expect(ADE20KClasses.things.firstIndex(of: i + 1).map { $0 + 1 } == number, "\(name)")
    }
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

  /// The reference was made from the same file with the official tables, at a third of its size.
  @Test(
    "the full data set has the segments of the challenge made from it",
    .needs("ade20k/full_2021"), .needs("ade20k/derived/ADEChallengeData2016"))
  func fullLayout() throws {
    let root = try #require(sampleData("ade20k/derived/ADEChallengeData2016"))
    let full = try #require(sampleData("ade20k/full_2021"))
    let name = "ADE_train_00016869"
    let reference = try ADE20KMap(
      classes: ImageFile.readIndices(path: "\(root)/annotations/training/\(name).png"), at: "classes",
      objects: ImageFile.readLabelPNG(path: "\(root)/annotations_instance/training/\(name).png"), at: "objects")

    let (folder, converted) = (try TemporaryFolder(), try TemporaryFolder())
    for part in ADE20K.parts {
      let scene = "\(folder.path)/images/ADE/\(part.name)/urban/street"
      try FileIO.makeFolder(scene)
      for file in ["\(name).jpg", "\(name)_seg.png", "\(name)_parts_1.png"] {
        try FileIO.write(FileIO.read("\(full)/\(file)"), to: "\(scene)/\(file)")
      }
    }
    try ADE20K(root: folder.path, layout: .full).convert(to: converted.path)
    let data = try PanopticDataset(cocoRoot: converted.path, part: Coco.val)
    let sample = try #require(data.samples.first)
    #expect(data.samples.count == 1 && sample.id == .number(516_869))
    let labels = try ImageFile.readLabelPNG(path: "\(converted.path)/\(Coco.val.labels)/\(name).png")
    #expect((labels.width, labels.height) == (2048, 1536))
    let category = Dictionary(uniqueKeysWithValues: sample.annotation.segments.map { ($0.id, $0.categoryID) })
    let theirs = Dictionary(uniqueKeysWithValues: reference.segments.map { ($0.id, $0.category) })
    // The same division into segments, and the same class for each.
    var partners: [UInt32: UInt32] = [:]
    var differing = 0
    let (width, height) = (reference.labels.width, reference.labels.height)
    for y in 0..<height {
      for x in 0..<width {
        let (sy, sx) = ((2 * y + 1) * labels.height / (2 * height), (2 * x + 1) * labels.width / (2 * width))
        let (ours, other) = (labels.ids[sy * labels.width + sx], reference.labels.ids[y * width + x])
        if partners[ours] == nil { partners[ours] = other }
        if partners[ours] != other || category[Int(ours)] != theirs[other] { differing += 1 }
      }
    }
    #expect(differing == 0 && Set(partners.values).count == partners.count && partners.count > 40)
  }

  @Test("of the full data set, pictures and their segments are read, and what scene parsing has no class for is void")
  func fullFiles() {
    let read = ["a/ADE_train_1.jpg", "a/ADE_train_1_seg.png", "ADE_val_2.jpg"]
    let others = [
      "a/ADE_train_1_parts_1.png", "a/ADE_train_1.json", "a/ADE_train_1/instance_000_ADE_train_1.png",
      "a/ADE_frame_1.jpg", "a/ADE_frame_1_seg.png",
    ]
    #expect((others + read).filter(ADE20K.Layout.full.reads) == read)
    #expect(ADE20K.Layout.full.contents == ["images/ADE/training", "images/ADE/validation"])
    #expect(ADE20K.Layout(ofFiles: ["images/ADE/training/a/ADE_train_1.jpg"]) == .full)
    #expect(ADE20K.Layout(ofFiles: ["annotations/training/ADE_train_1.png", "images/training/x.jpg"]) == .challenge)
    // Walls are 2978 = 11·256 + 162, beds 165, class 1 is none of 150; two objects of number 7, a bed and a curtain.
    func pixel(_ index: UInt32, _ number: UInt32) -> UInt32 { index / 256 * 10 | (index % 256) << 8 | number << 16 }
    let ids = [pixel(2978, 0), pixel(2978, 5), pixel(165, 7), pixel(165, 0), pixel(1, 3), pixel(687, 7), 0]
    let map = ADE20KMap(full: LabelImage(width: ids.count, height: 1, ids: ids))
    #expect(map.labels.ids == [1, 1, 2, 0, 0, 3, 0])
    #expect(map.segments.map(\.category) == [1, 8, 19])
  }

  @Test(
    "classes of the full data set become those that the challenge's own converter made of them",
    .needs("ade20k/sceneparsing/convertFromADE/mapFromADE.txt"))
  func fullClasses() throws {
    let path = try #require(sampleData("ade20k/sceneparsing/convertFromADE/mapFromADE.txt"))
    var table = [Int](repeating: 0, count: ADE20KClasses.categoryOfFullClass.count)
    for line in try String(contentsOfFile: path, encoding: .utf8).split(whereSeparator: \.isNewline) {
      let pair = line.split(whereSeparator: \.isWhitespace).compactMap { Int($0) }
      if pair.count == 2 { table[pair[1]] = pair[0] }
    }
    #expect(table == ADE20KClasses.categoryOfFullClass && table.count { $0 > 0 } == 153)
  }

  @Test("two pictures of one name would become one, so they are refused")
  func doubledName() throws {
    let folder = try TemporaryFolder()
    for place in ["training/a", "training/b", "validation/a"] {
      try FileIO.makeFolder("\(folder.path)/images/ADE/\(place)")
      try FileIO.write([1], to: "\(folder.path)/images/ADE/\(place)/ADE_train_00000001.jpg")
    }
    let words = message { try ADE20K(root: folder.path, layout: .full).convert(to: folder.path + "/out") }
    #expect(words.contains("training/b/ADE_train_00000001.jpg: error: a second picture of this name"), "\(words)")
    #expect(words.hasSuffix("training/a/ADE_train_00000001.jpg"), "\(words)")
  }

  private func miniature() -> PanopticMiniature {
    var p = smallScenes()
    p.style = "indoor"
    p.crowdProbability = 0
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
    for part in [Coco.train, Coco.val] {
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
    let categories = try PanopticDataset(cocoRoot: converted.path, part: Coco.val).categories
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
