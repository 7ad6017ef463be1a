import Datasets
import Determinism
import Foundation
import Panoptic
import Testing
import Vision

@Suite("Readers")
struct ReaderTests {
  /// A way to spoil a good data set, and what the message must say.
  struct Damage: CustomTestStringConvertible, Sendable {
    let testDescription: String
    /// All of them must occur in the message.
    let words: [String]
    let spoil: @Sendable (_ root: String, _ index: inout CanonicalValue) throws -> Void

    init(
      _ name: String, _ words: [String], _ spoil: @escaping @Sendable (String, inout CanonicalValue) throws -> Void
    ) {
      (testDescription, self.words, self.spoil) = (name, words, spoil)
    }
  }

  static let image = "000000000001.png"

  static let damages: [Damage] = [
    Damage("image missing", ["\(Coco.train.images)/000000000001.png", "no such file"]) { root, _ in
      try FileManager.default.removeItem(atPath: "\(root)/\(Coco.train.images)/\(image)")
    },
    Damage("label PNG missing", ["panoptic_\(Coco.train.images)/000000000001.png", "no such file"]) { root, _ in
      try FileManager.default.removeItem(atPath: "\(root)/\(Coco.train.labels)/\(image)")
    },
    Damage("image folder missing", [Coco.train.images, "no such folder"]) { root, _ in
      try FileManager.default.removeItem(atPath: "\(root)/\(Coco.train.images)")
    },
    Damage("image truncated", ["\(Coco.train.images)/000000000001.png", "damaged PNG"]) { root, _ in
      let url = URL(fileURLWithPath: "\(root)/\(Coco.train.images)/\(image)")
      try Data(try Data(contentsOf: url).prefix(3000)).write(to: url)
    },
    Damage("JPEG truncated", ["\(Coco.train.images)/000000000001.png", "damaged JPEG"]) { root, _ in
      let start: [UInt8] = [0xFF, 0xD8, 0xFF, 0xE0, 0, 16, 0x4A, 0x46, 0x49, 0x46, 0, 1, 1, 0, 0, 1, 0, 1, 0, 0]
      try Data(start).write(to: URL(fileURLWithPath: "\(root)/\(Coco.train.images)/\(image)"))
    },
    Damage("image is text", ["\(Coco.train.images)/000000000001.png", "neither a JPEG nor a PNG"]) { root, _ in
      try Data("GIF89a, honestly".utf8).write(to: URL(fileURLWithPath: "\(root)/\(Coco.train.images)/\(image)"))
    },
    Damage("image of the wrong size", ["\(Coco.train.images)/000000000001.png", "32×64", "64×64", "image 1"]) {
      root, _ in
      try PNGWriter.write(Image(width: 32, height: 64), to: "\(root)/\(Coco.train.images)/\(image)")
    },
    Damage("label PNG of the wrong size", ["panoptic_\(Coco.train.images)/000000000001.png", "16×16", "64×64"]) {
      root, _ in
      try PNGWriter.write(
        LabelImage(width: 16, height: 16, ids: [UInt32](repeating: 0, count: 256)),
        to: "\(root)/\(Coco.train.labels)/\(image)")
    },
    Damage("segment in the PNG alone", ["000000000001.png", "segment 4242"]) { root, _ in
      let path = "\(root)/\(Coco.train.labels)/\(image)"
      var labels = try ImageFile.readLabelPNG(path: path)
      labels.ids[5] = 4242
      try PNGWriter.write(labels, to: path)
    },
    Damage("segment in the index alone", ["000000000001.png", "segment 99"]) { _, index in
      index.edit(["annotations", 0, "segments_info"]) {
        $0 = .array($0.arrayValue! + [["id": 99, "category_id": 1, "area": 3, "iscrowd": 0, "bbox": [0, 0, 1, 3]]])
      }
    },
    Damage("unknown category", ["annotations[0].segments_info[0].category_id", "7777"]) { _, index in
      index.edit(["annotations", 0, "segments_info", 0, "category_id"]) { $0 = 7777 }
    },
    Damage("image id twice", ["two images have the id 1"]) { _, index in
      index.edit(["images", 1, "id"]) { $0 = 1 }
    },
    Damage("category id twice", ["two categories have the id"]) { _, index in
      index.edit(["categories"]) { $0 = .array($0.arrayValue! + [$0.arrayValue![0]]) }
    },
    Damage("image annotated twice", ["two annotations of the image 1"]) { _, index in
      index.edit(["annotations", 1, "image_id"]) { $0 = 1 }
    },
    Damage(
      "image without annotation", ["panoptic_\(Coco.train.images).json", "image 1 (000000000001.png)", "no annotation"]
    ) {
      _, index in index.edit(["annotations"]) { $0 = .array(Array($0.arrayValue!.dropFirst())) }
    },
    Damage("annotation without image", ["the image 1 is not listed"]) { _, index in
      index.edit(["images"]) { $0 = .array(Array($0.arrayValue!.dropFirst())) }
    },
    Damage("no images", ["no images"]) { _, index in
      index.edit(["images"]) { $0 = [] }
      index.edit(["annotations"]) { $0 = [] }
    },
    Damage("area is text", ["annotations[0].segments_info[0].area"]) { _, index in
      index.edit(["annotations", 0, "segments_info", 0, "area"]) { $0 = "large" }
    },
    Damage("size is zero", ["images[0].width"]) { _, index in index.edit(["images", 0, "width"]) { $0 = 0 } },
    Damage("file outside the folder", ["images[0].file_name"]) { _, index in
      index.edit(["images", 0, "file_name"]) { $0 = "../../secret.png" }
    },
  ]

  @Test("a spoilt data set is refused with the place", arguments: damages)
  func badInput(_ damage: Damage) throws {
    let folder = try TemporaryFolder()
    try smallScenes(train: 3, validation: 0).write(to: folder.path)
    let path = folder.path + "/\(Coco.train.index)"
    var index = try CanonicalValue(json: Array(try Data(contentsOf: URL(fileURLWithPath: path))))
    try damage.spoil(folder.path, &index)
    try Data(index.canonicalBytes).write(to: URL(fileURLWithPath: path))
    let words = message {
      let data = try PanopticDataset(cocoRoot: folder.path, part: Coco.train)
      for sample in data.samples { _ = try PanopticPicture(sample, categories: data.categories) }
    }
    for part in damage.words { #expect(words.contains(part), "\(words)") }
  }

  @Test(
    "an index that is no JSON is refused with its name",
    arguments: ["", "[", "{\"images\": [NaN]}", "{\"images\": 3}", "null", String(repeating: "[", count: 100_000)])
  func badJSON(_ text: String) throws {
    let folder = try TemporaryFolder()
    try smallScenes(train: 1, validation: 0).write(to: folder.path)
    let path = folder.path + "/\(Coco.train.index)"
    try Data(text.utf8).write(to: URL(fileURLWithPath: path))
    #expect(message { _ = try PanopticDataset(cocoRoot: folder.path, part: Coco.train) }.contains(path))
  }

  @Test("training leaves out images without objects, evaluation keeps them")
  func usable() throws {
    let folder = try TemporaryFolder()
    var p = smallScenes(train: 40, validation: 0)
    p.objects = .init(minimum: 0, maximum: 1)
    try p.write(to: folder.path)
    let data = try PanopticDataset(cocoRoot: folder.path, part: Coco.train)
    let usable = try data.usableForTraining()
    #expect(data.samples.count == 40 && (5...35).contains(usable.samples.count))
    let things = Set(data.categories.things.map(\.id))
    for sample in usable.samples {
      #expect(sample.annotation.segments.contains { !$0.isCrowd && things.contains($0.categoryID) })
    }
    let none = PanopticDataset(
      categories: data.categories, samples: data.samples.filter { s in !usable.samples.contains { $0.id == s.id } })
    #expect(message { _ = try none.usableForTraining() }.contains("box above one pixel"))
  }

  @Test("the search split is a cut, the same for any order of the ids, another for another seed")
  func split() throws {
    let ids = (1...100).map { ImageID.number($0 * 3) }
    let split = try SearchSplit(ids, validationCount: 30, seed: 5)
    #expect(split.validation.count == 30 && (split.train + split.validation).sorted() == ids)
    #expect(split.train == split.train.sorted() && split.validation == split.validation.sorted())
    #expect(try SearchSplit(ids.reversed(), validationCount: 30, seed: 5) == split)
    #expect(try SearchSplit(ids, validationCount: 30, seed: 6) != split)
    #expect(try CanonicalValue(encoding: split).decoded(as: SearchSplit.self) == split)
    #expect(message { _ = try SearchSplit(ids, validationCount: 100, seed: 5) }.contains("100 validation images"))
  }

  @Test("an ImageNet folder without images, and a class that training lacks, are refused")
  func badClasses() throws {
    let folder = try TemporaryFolder()
    var p = ClassificationMiniature()
    (p.classCount, p.trainPerClass, p.validationPerClass) = (3, 1, 1)
    try p.write(to: folder.path)
    let train = try ClassificationDataset(root: folder.path, part: ClassificationLayout.imageNet.training)
    #expect(message { _ = try ClassificationDataset(root: folder.path, part: "test") }.contains("no such folder"))
    try FileIO.makeFolder(folder.path + "/val/n12345678")
    #expect(
      try ClassificationDataset(
        root: folder.path, part: ClassificationLayout.imageNet.validation, classes: train.classes
      ).samples.count == 3)
    try FileIO.write([1], to: folder.path + "/val/n12345678/readme.txt")
    #expect(
      message {
        _ = try ClassificationDataset(
          root: folder.path, part: ClassificationLayout.imageNet.validation, classes: train.classes)
      }
      .contains("n12345678: error: is a class that the training images do not have"))
    #expect(
      message { _ = try ClassificationDataset(root: folder.path, part: ClassificationLayout.imageNet.validation) }
        .contains("has no images"))
  }

  @Test("real COCO and ImageNet samples read")
  func realSamples() throws {
    if let coco = sampleData("coco/panopticapi_sample_data") {
      let part = PanopticPart(images: "input_images", index: "panoptic_examples.json", labels: "panoptic_examples")
      let data = try PanopticDataset(part, in: FolderTree(coco))
      #expect(data.samples.map(\.id) == [.number(142238), .number(439180)])
      #expect(data.categories.things.count == 80 && data.categories.stuff.count == 53)
      for sample in data.samples {
        let picture = try PanopticPicture(sample, categories: data.categories)
        #expect(picture.image.width == 640 && Set(picture.segmentIndices).count >= sample.annotation.segments.count)
      }
      #expect(try data.usableForTraining().samples.count == 2)
    }
    // A sample whose index states a size that its files do not have.
    if let wrong = sampleData("coco/datumaro_coco_panoptic") {
      let words = message {
        let part = PanopticPart(
          images: "images/train", index: "annotations/panoptic_train.json", labels: "annotations/panoptic_train")
        let data = try PanopticDataset(part, in: FolderTree(wrong))
        _ = try PanopticPicture(data.samples[0], categories: data.categories)
      }
      #expect(words.contains("a.png") && words.contains("5×5") && words.contains("10×5"))
    }
    if let imagenet = sampleData("imagenet") {
      let data = try ClassificationDataset(root: imagenet, part: "samples")
      #expect(data.classes == data.classes.sorted() && data.samples.count >= data.classes.count)
      for sample in data.samples { #expect(try data.image(sample).channels == 3) }
    }
  }
}

/// A step into a JSON tree.
enum JSONStep: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral {
  case member(String)
  case element(Int)
  init(stringLiteral value: String) { self = .member(value) }
  init(integerLiteral value: Int) { self = .element(value) }
}

extension CanonicalValue {
  /// Changes the value at a path.
  mutating func edit(_ path: [JSONStep], _ change: (inout CanonicalValue) -> Void) {
    guard let first = path.first else { return change(&self) }
    switch (first, self) {
    case (.member(let name), .object(var members)):
      members[name]?.edit(Array(path.dropFirst()), change)
      self = .object(members)
    case (.element(let i), .array(var elements)):
      elements[i].edit(Array(path.dropFirst()), change)
      self = .array(elements)
    default: Issue.record("no \(first) in the document")
    }
  }
}
