import Determinism
import Foundation
import Testing
import Vision

@testable import Panoptic

@Suite("PanopticAnnotations, PanopticFiles and CategoryTable")
struct PanopticFilesTests {
  @Test(
    "real COCO annotations are read, and written predictions round-trip",
    .enabled(if: PanopticGolden.isPresent, PanopticGolden.whereToFind))
  func roundTrip() throws {
    let truth = try PanopticAnnotations(contentsOf: PanopticGolden.truthJSON)
    let table = try #require(truth.categories)
    #expect(table.things.count == 80 && table.stuff.count == 53)
    let results = try truth.annotations.map { annotation in
      let image = try #require(truth.images.first { $0.id == annotation.imageID })
      return (
        image: image,
        segmentation: try PanopticFiles.read(
          annotation, folder: PanopticGolden.truthFolder, jsonFile: "truth", categories: table,
          size: (image.width, image.height)
        ).measured()
      )
    }
    for (result, annotation) in zip(results, truth.annotations) {
      // Areas and boxes of the file are those of its PNG.
      #expect(result.segmentation.segments == annotation.segments)
    }
    let folder = try TemporaryFolder()
    let json = folder.path + "/out.json"
    let colored = results.map { (image: $0.image, segmentation: $0.segmentation.colored(table)) }
    try PanopticFiles.write(colored, categories: table, json: json, folder: folder.path)
    let quality = try computePanopticQuality(
      groundTruthJSON: PanopticGolden.truthJSON, groundTruthFolder: PanopticGolden.truthFolder, predictionJSON: json,
      predictionFolder: folder.path)
    #expect(quality.all.pq == 1 && quality.all.count == 8)
    let back = try PanopticAnnotations(contentsOf: json, role: .groundTruth)
    #expect(back.images.map(\.fileName) == truth.images.map(\.fileName))
    #expect(back.annotations.map { $0.segments.map(\.area) } == truth.annotations.map { $0.segments.map(\.area) })
    let first = try Data(contentsOf: URL(fileURLWithPath: json))
    try PanopticFiles.write(colored, categories: table, json: json, folder: folder.path)
    #expect(try Data(contentsOf: URL(fileURLWithPath: json)) == first)
  }

  @Test("CategoryTable numbers things by ascending id and stuff in the order of the file")
  func labels() {
    let table = CategoryTable([
      PanopticCategory(id: 7, name: "cat", isThing: true), PanopticCategory(id: 9, name: "sky", isThing: false),
      PanopticCategory(id: 3, name: "dog", isThing: true), PanopticCategory(id: 4, name: "sea", isThing: false),
    ])
    #expect(table.boxLabel(ofID: 3) == 1 && table.boxLabel(ofID: 7) == 2 && table.boxLabel(ofID: 9) == nil)
    #expect(table.semanticLabel(ofID: 9) == 1 && table.semanticLabel(ofID: 4) == 2 && table.semanticLabel(ofID: 7) == 0)
    #expect(table.thing(label: 1).id == 3 && table.stuff(label: 2).id == 4 && table.semanticLabel(ofID: 5) == nil)
  }

  @Test("colored gives unique ids to many things of one category")
  func colors() throws {
    let table = CategoryTable([PanopticCategory(id: 1, name: "ant", isThing: true, color: [250, 0, 10])])
    let count = 3000
    let scene = PanopticSegmentation(
      map: LabelImage(width: count, height: 1, ids: (1...count).map { UInt32($0) }),
      segments: (1...count).map { SegmentInfo(id: $0, categoryID: 1, area: 1) })
    let colored = scene.colored(table)
    #expect(Set(colored.map.ids).count == count)
    #expect(colored.segments[0].id == 250 + 10 << 16)
    try colored.validate(categories: table, place: "colours")
  }

  /// A valid file with one image of 2×1 pixels, from which the broken ones are made.
  static let valid = """
    {"images": [{"id": 5, "file_name": "a.jpg", "width": 2, "height": 1}],
     "categories": [{"id": 1, "name": "cat", "isthing": 1, "color": [1, 2, 3]}],
     "annotations": [{"image_id": 5, "file_name": "a.png", "segments_info": [
       {"id": 300, "category_id": 1, "area": 2.0, "iscrowd": 0, "bbox": [0, 0, 2, 1]}]}]}
    """

  static let brokenFiles: [(String, String, PanopticError.Code, String)] = [
    ("\"area\": 2.0", "\"area\": NaN", .malformedJSON, ".json:4:"),
    ("\"area\": 2.0", "\"area\": 1e300", .invalidValue, "annotations[0].segments_info[0].area"),
    ("\"area\": 2.0", "\"area\": 2, \"area\": 3", .duplicateMember, "'area' stands here twice"),
    ("\"id\": 5", "\"id\": 1e300", .invalidValue, "images[0].id"),
    ("\"id\": 5", "\"id\": 9007199254740994.0", .invalidValue, "images[0].id"),
    ("\"id\": 300", "\"id\": 9223372036854775807", .invalidValue, "segments_info[0].id"),
    ("\"width\": 2", "\"width\": 4611686018427387904", .invalidValue, "at most 1048576"),
    ("[0, 0, 2, 1]", "[0, 0, -2, 1]", .invalidValue, "bbox"),
    ("[0, 0, 2, 1]", "[0, 0, 2, 1e300]", .invalidValue, "bbox"),
    ("\"image_id\": 5", "\"image_id\": \"5\"", .missingImage, "the image \"5\" is 5 in 'images'"),
    ("\"file_name\": \"a.png\"", "\"file_name\": \"..\\/\u{301}a.png\"", .invalidValue, "file_name"),
    ("\"file_name\": \"a.png\"", "\"file_name\": \"b/../\u{301}/../../a.png\"", .invalidValue, "file_name"),
    ("\"file_name\": \"a.png\"", "\"file_name\": \"/\u{301}a.png\"", .invalidValue, "file_name"),
    (", \"isthing\": 1", "", .missingField, "'isthing'"),
    ("\"area\": 2.0", "\"area\": \"2\"", .wrongType, "a string"),
    ("\"area\": 2.0", "\"area\": -1", .invalidValue, "at least 0"),
    ("\"area\": 2.0, ", "", .missingField, "'area'"),
    ("\"id\": 300", "\"id\": 0", .invalidValue, "at least 1"),
    ("\"id\": 300", "\"id\": 16777216", .invalidValue, "at most 16777215"),
    ("\"category_id\": 1", "\"category_id\": 2", .unknownCategory, "segment 300 has category 2"),
    ("\"iscrowd\": 0", "\"iscrowd\": 2", .invalidValue, "iscrowd"),
    ("\"image_id\": 5", "\"image_id\": 6", .missingImage, "6"),
    ("\"file_name\": \"a.png\"", "\"file_name\": \"../a.png\"", .invalidValue, "../a.png"),
    ("\"width\": 2", "\"width\": 0", .invalidValue, "images[0].width"),
    ("\"color\": [1, 2, 3]", "\"color\": [1, 2]", .invalidValue, "colour"),
    ("\"categories\": [", "\"categories\": [{\"id\": 1, \"name\": \"b\", \"isthing\": 0}, ", .duplicateID, "id 1"),
    (
      "\"segments_info\": [", "\"segments_info\": [{\"id\": 300, \"category_id\": 1, \"area\": 2, \"iscrowd\": 0}, ",
      .duplicateID, "300"
    ),
    ("\"annotations\": [", "\"annotations\": {}, \"annotationen\": [", .wrongType, "annotations"),
    ("]}]}\n", "]}", .malformedJSON, "expected ','"),
    ("{\"images\"", "[", .malformedJSON, "1:"),
  ]

  @Test("a broken file is refused with its position", arguments: brokenFiles)
  func refusal(_ old: String, _ new: String, _ code: PanopticError.Code, _ words: String) throws {
    let folder = try TemporaryFolder()
    let text = (Self.valid + "\n").replacingOccurrences(of: old, with: new)
    #expect(text != Self.valid + "\n")
    let file = try folder.write(text, "bad.json")
    let error = try #require(throws: PanopticError.self) { try PanopticAnnotations(contentsOf: file) }
    #expect(error.code == code && error.isUserData)
    #expect(error.description.contains(words) && error.description.hasPrefix(file), "\(error)")
  }

  @Test("a PNG is checked for its size and for unlisted and absent segments")
  func maps() throws {
    let folder = try TemporaryFolder()
    let annotations = try PanopticAnnotations(contentsOf: folder.write(Self.valid, "good.json"))
    #expect(annotations.annotations[0].segments[0].area == 2)
    func read(_ ids: [UInt32], width: Int) throws -> PanopticSegmentation {
      try PNGWriter.write(
        LabelImage(width: width, height: ids.count / width, ids: ids), to: folder.path + "/a.png")
      return try PanopticFiles.read(
        annotations.annotations[0], folder: folder.path, jsonFile: "good.json", categories: annotations.categories,
        size: (2, 1))
    }
    #expect(try read([300, 300], width: 2).map.ids == [300, 300])
    for (ids, width, code) in [
      ([300, 300], 1, PanopticError.Code.wrongSize), ([300, 7], 2, .unlistedSegment), ([0, 0], 2, .absentSegment),
    ] as [([UInt32], Int, PanopticError.Code)] {
      let error = try #require(throws: PanopticError.self) { try read(ids, width: width) }
      #expect(error.code == code && error.place.contains("a.png"))
    }
  }

  @Test("a missing file is reported by name")
  func missing() throws {
    let error = try #require(throws: PanopticError.self) { try PanopticAnnotations(contentsOf: "/nowhere/x.json") }
    #expect(error.code == .unreadable && error.description.contains("/nowhere/x.json"))
  }
}
