import Determinism
import Foundation
import Panoptic
import Testing
import Vision

@testable import Datasets

/// The files of a folder as they were once, checked as they are read: what a stage gets.
struct Snapshot: FileTree {
  struct Changed: DiagnosableError {
    let description: String
    var isUserData: Bool { true }
  }

  let root: String
  let paths: [String]
  private let digests: [ByteName: Digest]

  init(_ root: String) throws {
    let tree = try FolderTree(root)
    (self.root, paths) = (root, tree.paths)
    digests = Dictionary(
      uniqueKeysWithValues: try tree.paths.map { (ByteName($0), Digest(of: try tree.read($0))) })
  }

  func contains(_ path: String) -> Bool { digests[ByteName(path)] != nil }

  func read(_ path: String, limit: Int) throws -> [UInt8] {
    guard let digest = digests[ByteName(path)] else { throw Changed(description: "\(path) is not in the tree") }
    guard let bytes = try? FileIO.read("\(root)/\(path)", limit: limit), Digest(of: bytes) == digest else {
      throw Changed(description: "\(path) changed")
    }
    return bytes
  }
}

@Suite("Readers see what the tree names")
struct TreeReaderTests {
  /// A reader, the files it needs, and where more of them could be put.
  struct Reader: CustomTestStringConvertible, Sendable {
    let testDescription: String
    let write: @Sendable (_ root: String) throws -> Void
    /// Everything that the reader makes of the tree, as text.
    let read: @Sendable (any FileTree) throws -> String
    /// Paths that name new files once the reader would look for them itself.
    let additions: [String]
  }

  static let readers = [
    Reader(
      testDescription: "ImageNet",
      write: { root in
        var p = ClassificationMiniature()
        (p.classCount, p.trainPerClass, p.validationPerClass) = (3, 2, 1)
        try p.write(to: root)
      },
      read: { tree in
        let data = try ClassificationDataset(part: ClassificationLayout.imageNet.training, in: tree)
        let loading = ClassificationLoading(
          batchSize: 2, crop: CropAugmentation(side: 16))
        let loader = ClassificationLoader(data, loading, seeds: Seeds(kind: "test", seed: 1), cacheBytes: 0)
        let batches = try (0..<6).map { Digest(of: "\(try loader.trainingBatch(step: $0).images.array)").short }
        return "\(data.classes) \(data.samples) \(batches)"
      },
      additions: ["train/n90000001/0extra.png", "train/n00000000/first.png"]),
    Reader(
      testDescription: "COCO",
      write: { try smallScenes(train: 3, validation: 1).write(to: $0) },
      read: { tree in
        let data = try PanopticDataset(Coco.train, in: tree)
        let pictures = try data.samples.map {
          let picture = try PanopticPicture($0, categories: data.categories)
          return
            "\($0.id) \(Digest(of: picture.image.pixels).short) \(picture.segmentIndices.reduce(0) { $0 &+ Int($1) })"
        }
        return "\(pictures) \(data.notes)"
      },
      additions: ["\(Coco.train.images)/999.png", "\(Coco.train.labels)/999.png"]),
    Reader(
      testDescription: "ADE20K",
      write: { root in
        var p = smallScenes(train: 3, validation: 1)
        (p.style, p.crowdProbability) = ("indoor", 0)
        try p.writeADE20K(to: root)
      },
      read: { tree in
        let folder = try TemporaryFolder()
        let notes = try ADE20K(files: tree).convert(to: folder.path)
        return "\(try folder.digest().hex) \(notes)"
      },
      additions: [
        "images/training/ADE_train_00000009.png", "annotations/training/ADE_train_00000009.png",
        "annotations_instance/training/ADE_train_00000009.png",
      ]),
  ]

  @Test("a file that comes after the manifest changes nothing", arguments: readers)
  func added(_ reader: Reader) throws {
    let folder = try TemporaryFolder()
    try reader.write(folder.path)
    let tree = try Snapshot(folder.path)
    let before = try reader.read(tree)
    let picture = PNGWriter.encode(Image(width: 64, height: 64))
    for path in reader.additions {
      try FileIO.makeFolder("\(folder.path)/\(path.folderPath)")
      try FileIO.write(picture, to: "\(folder.path)/\(path)")
    }
    try FileIO.makeFolder("\(folder.path)/train/n00000001")
    #expect(try reader.read(tree) == before)
  }

  @Test("a file that is removed or changed after the manifest is an error that names it", arguments: readers)
  func changed(_ reader: Reader) throws {
    let folder = try TemporaryFolder()
    try reader.write(folder.path)
    let tree = try Snapshot(folder.path)
    let unread = ["classes.tsv", "coco_categories.json", "val/", Coco.val.images]
    for path in tree.paths where !unread.contains(where: { path.contains($0) }) {
      let place = "\(folder.path)/\(path)"
      let sound = try FileIO.read(place)
      unlink(place)
      #expect(message { _ = try reader.read(tree) }.contains(path))
      var other = sound
      other[other.count / 2] ^= 1
      try FileIO.write(other, to: place)
      #expect(message { _ = try reader.read(tree) }.contains(path))
      try FileIO.write(sound, to: place)
    }
  }

  @Test("class folders and pictures whose names Unicode calls equal are told apart")
  func twinClasses() throws {
    let folder = try TemporaryFolder()
    for (i, name) in ["se\u{F1}or", "sen\u{303}or", "plain"].enumerated() {
      try FileIO.makeFolder("\(folder.path)/train/\(name)")
      for file in ["caf\u{E9}.png", "cafe\u{301}.PNG", "cafe\u{301}.jpeg"] {
        try FileIO.write(
          PNGWriter.encode(Image(width: 3 + i, height: 2)), to: "\(folder.path)/train/\(name)/\(file)")
      }
    }
    let data = try ClassificationDataset(root: folder.path, part: ClassificationLayout.imageNet.training)
    #expect(data.classes.count == 3 && data.samples.count == 9)
    for sample in data.samples {
      let width = try data.image(sample).width
      #expect(data.classes[sample.label].hasSameBytes(as: ["se\u{F1}or", "sen\u{303}or", "plain"][width - 3]))
    }
    // A class that only Unicode calls the same is another one.
    let known = ["se\u{F1}or", "plain"]
    #expect(
      message {
        _ = try ClassificationDataset(root: folder.path, part: ClassificationLayout.imageNet.training, classes: known)
      }.contains("class"))
  }

  @Test("pictures and PNGs whose names Unicode calls equal are told apart")
  func twinPictures() throws {
    let folder = try TemporaryFolder()
    let names = ["se\u{F1}or", "sen\u{303}or"]
    for (i, name) in names.enumerated() {
      try FileIO.makeFolder(folder.path + "/\(Coco.train.images)")
      try FileIO.makeFolder(folder.path + "/\(Coco.train.labels)")
      try PNGWriter.write(
        Image(width: 2, height: 1, repeating: UInt8(i)), to: "\(folder.path)/\(Coco.train.images)/\(name).png")
      try PNGWriter.write(
        LabelImage(width: 2, height: 1, ids: [7, 7]), to: "\(folder.path)/\(Coco.train.labels)/\(name).png")
    }
    let index: CanonicalValue = [
      "images": .array(
        names.enumerated().map { ["id": .integer($0), "file_name": .string("\($1).png"), "width": 2, "height": 1] }),
      "annotations": .array(
        names.enumerated().map {
          [
            "image_id": .integer($0), "file_name": .string("\($1).png"),
            "segments_info": [["id": 7, "category_id": 1, "area": 2, "iscrowd": 0]],
          ]
        }),
      "categories": [["id": 1, "name": "a", "isthing": 1]],
    ]
    try FileIO.write(index.canonicalBytes, to: folder.path + "/\(Coco.train.index)")
    let data = try PanopticDataset(cocoRoot: folder.path, part: Coco.train)
    #expect(data.notes.isEmpty && data.samples.count == 2)
    for (i, sample) in data.samples.enumerated() {
      #expect(try PanopticPicture(sample, categories: data.categories).image.pixels[0] == UInt8(i))
    }
    // One of the two is gone: the other does not stand in for it.
    unlink("\(folder.path)/\(Coco.train.images)/\(names[0]).png")
    #expect(message { _ = try PanopticDataset(cocoRoot: folder.path, part: Coco.train) }.contains("no such file"))
  }

  @Test("what is left out is told with a count and an example")
  func notes() throws {
    let folder = try TemporaryFolder()
    try smallScenes(train: 3, validation: 0).write(to: folder.path)
    #expect(try PanopticDataset(cocoRoot: folder.path, part: Coco.train).notes.isEmpty)
    for name in ["x1.jpg", "x2.JPEG", "readme.txt"] {
      try FileIO.write([1], to: "\(folder.path)/\(Coco.train.images)/\(name)")
    }
    try FileIO.write([1], to: folder.path + "/\(Coco.train.labels)/y.png")
    let notes = try PanopticDataset(cocoRoot: folder.path, part: Coco.train).notes
    #expect(notes.count == 2)
    #expect(
      notes[0].contains("\(Coco.train.images): 2 pictures that") && notes[0].contains("such as x1.jpg"), "\(notes)")
    #expect(notes[1].contains("1 PNG file that") && notes[1].contains("such as y.png"), "\(notes)")

    let classes = try TemporaryFolder()
    var p = ClassificationMiniature()
    (p.classCount, p.trainPerClass) = (2, 1)
    try p.write(to: classes.path)
    try FileIO.makeFolder(classes.path + "/train/n90000001/more")
    for name in ["n90000001/more/a.png", "n90000001/b.webp", "c.png"] {
      try FileIO.write([1], to: "\(classes.path)/train/\(name)")
    }
    let data = try ClassificationDataset(root: classes.path, part: ClassificationLayout.imageNet.training)
    #expect(data.samples.count == 2 && data.notes.count == 1)
    #expect(
      data.notes[0].contains("3 files that are no pictures") && data.notes[0].contains("such as c.png"), "\(data.notes)"
    )

    let sparse = try TemporaryFolder()
    var scenes = smallScenes(train: 40, validation: 0)
    scenes.objects = .init(minimum: 0, maximum: 1)
    try scenes.write(to: sparse.path)
    let all = try PanopticDataset(cocoRoot: sparse.path, part: Coco.train)
    let usable = try all.usableForTraining()
    let dropped = all.samples.count - usable.samples.count
    #expect(
      usable.notes.count == 1 && usable.notes[0].contains("\(dropped) of 40 images show no object"), "\(usable.notes)")
  }

  @Test("mutants of an index are read or refused with a place")
  func fuzz() throws {
    let folder = try TemporaryFolder()
    try smallScenes(train: 2, validation: 0).write(to: folder.path)
    let tree = try FolderTree(folder.path)
    let index = try tree.read(Coco.train.index)
    var random = Seeds(kind: "fuzz", seed: 2).stream("index")
    let words = ["null", "-1", "1e300", "9223372036854775808", "\"5\"", "[]", "0.5", "16777216", "true", "1048576"]
    for _ in 0..<10_000 {
      var text = index
      for _ in 0...random.below(2) {
        let at = random.below(text.count)
        if random.chance(0.3) {
          text[at] = UInt8(random.below(256))
        } else if let colon = text[at...].firstIndex(of: UInt8(ascii: ":")) {
          let end = text[colon...].firstIndex { [UInt8(ascii: ","), UInt8(ascii: "}")].contains($0) } ?? text.count
          text.replaceSubrange(colon + 1..<end, with: Array(words[random.below(words.count)].utf8))
        }
      }
      do {
        let data = try PanopticDataset(Coco.train, in: Replaced(tree, Coco.train.index, text))
        _ = try? data.usableForTraining()
        for sample in data.samples { _ = try? PanopticPicture(sample, categories: data.categories) }
      } catch {
        #expect(
          (error as? any DiagnosableError)?.description.contains("panoptic_\(Coco.train.images)") == true
            || (error as? any DiagnosableError)?.description.contains("\(Coco.train.images)/") == true, "\(error)")
      }
    }
  }

  /// A tree one of whose files has another content.
  private struct Replaced: FileTree {
    let tree: any FileTree
    let path: String
    let content: [UInt8]

    init(_ tree: any FileTree, _ path: String, _ content: [UInt8]) {
      (self.tree, self.path, self.content) = (tree, path, content)
    }

    var root: String { tree.root }
    var paths: [String] { tree.paths }
    func contains(_ path: String) -> Bool { tree.contains(path) }
    func read(_ path: String, limit: Int) throws -> [UInt8] {
      path == self.path ? content : try tree.read(path, limit: limit)
    }
  }

  @Test("ADE20K: other endings are pictures, orphans and doubles are named")
  func adeNames() throws {
    let folder = try TemporaryFolder()
    var p = smallScenes(train: 3, validation: 1)
    (p.style, p.crowdProbability) = ("indoor", 0)
    try p.writeADE20K(to: folder.path)
    let name = "ADE_train_00000001"
    func move(_ from: String, _ to: String) { rename("\(folder.path)/\(from)", "\(folder.path)/\(to)") }
    func convert() throws -> [String] {
      let out = try TemporaryFolder()
      let notes = try ADE20K(root: folder.path).convert(to: out.path)
      #expect(try PanopticDataset(cocoRoot: out.path, part: Coco.train).samples.count == 3)
      return notes
    }
    for ending in ["PNG", "jpeg", "JPG", "Jpeg"] {
      move("images/training/\(name).png", "images/training/\(name).\(ending)")
      #expect(try convert().isEmpty)
      move("images/training/\(name).\(ending)", "images/training/\(name).png")
    }
    move("annotations/training/\(name).png", "annotations/training/\(name).PNG")
    #expect(try convert().isEmpty)
    try FileIO.write([1], to: folder.path + "/images/training/Thumbs.db")
    #expect(try convert().first?.contains("1 file that") == true)

    for place in ["images", "annotations_instance"] {
      move("\(place)/training/\(name).png", "kept.png")
      #expect(message { _ = try convert() }.contains(name))
      move("kept.png", "\(place)/training/\(name).png")
    }
    for place in ["images", "annotations", "annotations_instance"] {
      let ending = place == "annotations" ? "PNG" : "png"
      let bytes = try FileIO.read("\(folder.path)/\(place)/training/\(name).\(ending)")
      for twin in ["site-b_00000001", "se\u{F1}or_00000007", "sen\u{303}or_00000007"] {
        try FileIO.write(bytes, to: "\(folder.path)/\(place)/training/\(twin).png")
      }
    }
    let words = message { _ = try convert() }
    #expect(words.contains("has the number"), "\(words)")
    for place in ["images", "annotations", "annotations_instance"] {
      unlink("\(folder.path)/\(place)/training/site-b_00000001.png")
    }
    let twins = message { _ = try convert() }
    #expect(twins.contains("se\\xc3\\xb1or") && twins.contains("sen\\xcc\\x83or"), "\(twins)")
  }

  @Test("a picture too long and thin for its limits is refused before it takes memory")
  func thin() throws {
    let rule = ResizeRule(shorterSide: 800, longestSide: 1333)
    #expect(rule.isTooThin(width: 1, height: 100_000) && rule.isTooThin(width: 1 << 20, height: 1))
    #expect(!rule.isTooThin(width: 640, height: 20) && !rule.isTooThin(width: 1, height: 1333))
    #expect(!rule.isTooThin(width: 65_535, height: 60))
  }
}
